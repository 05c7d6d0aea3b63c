"""What a service asks of others: outbound requests, its database, its queues."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from instrumentation.contract import promql
from instrumentation.contract.causes import FAILED
from instrumentation.contract.metrics import (
    DB_CLIENT_CONNECTION_TIMEOUTS,
    DB_CLIENT_OPERATION_DURATION,
    HTTP_CLIENT_REQUEST_DURATION,
    HTTP_CLIENT_RETRIES,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from instrumentation.contract.promql import Window

_FAILED_OPERATION: Final = promql.matches("error_type", ".+")


def asked(by: Sequence[str], window: Window, matchers: Sequence[str]) -> str:
    """Outbound requests a second."""
    return promql.observations(HTTP_CLIENT_REQUEST_DURATION, window, by, matchers)


def retried(by: Sequence[str], window: Window, matchers: Sequence[str]) -> str:
    """Outbound requests a second that were sent again."""
    return promql.rate(HTTP_CLIENT_RETRIES, window, by, matchers)


def gave_up(by: Sequence[str], window: Window, matchers: Sequence[str]) -> str:
    """Callers a second that gave up waiting for a connection."""
    return promql.rate(DB_CLIENT_CONNECTION_TIMEOUTS, window, by, matchers)


def failed(by: Sequence[str], window: Window, matchers: Sequence[str]) -> str:
    """Share of the outbound requests that the dependency failed."""
    bad = promql.observations(HTTP_CLIENT_REQUEST_DURATION, window, by, (*matchers, FAILED))
    whole = asked(by, window, matchers)
    return f"{promql.zero_fill(bad, whole)} / ({whole} > 0)"


def p95(by: Sequence[str], window: Window, matchers: Sequence[str]) -> str:
    """95th percentile of the durations of outbound requests, in seconds."""
    return promql.present(promql.quantile(0.95, HTTP_CLIENT_REQUEST_DURATION, window, by, matchers))


def operations(by: Sequence[str], window: Window, matchers: Sequence[str]) -> str:
    """Database operations a second."""
    return promql.observations(DB_CLIENT_OPERATION_DURATION, window, by, matchers)


def operations_failed(by: Sequence[str], window: Window, matchers: Sequence[str]) -> str:
    """Share of the database's operations that ended in an error."""
    bad = promql.observations(
        DB_CLIENT_OPERATION_DURATION, window, by, (*matchers, _FAILED_OPERATION)
    )
    whole = operations(by, window, matchers)
    return f"{promql.zero_fill(bad, whole)} / ({whole} > 0)"


def database_p95(by: Sequence[str], window: Window, matchers: Sequence[str]) -> str:
    """95th percentile of the durations of database operations, in seconds."""
    return promql.present(promql.quantile(0.95, DB_CLIENT_OPERATION_DURATION, window, by, matchers))
