"""Errors: requests fail through the service's own fault."""

from __future__ import annotations

from typing import Final

from alerts.model import Alert, Group, Record, Scale
from instrumentation.contract import queries, slo
from instrumentation.contract.recorded import (
    ERRORS_1H,
    ERRORS_5M,
    REQUESTS_1H,
    REQUESTS_5M,
    ROUTE,
    SERVICE,
    Level,
)

NAME: Final = "HighErrorRatio"

_DESCRIPTION: Final = (
    "{{ $value | humanizePercentage }} of its requests failed with a 5xx, more than "
    f"{slo.ERROR_RATIO:.0%} (over 5 minutes; over the last hour where few requests come)."
)


def groups(scale: Scale) -> tuple[Group, ...]:
    """Record requests and errors, and alert on too large a share."""
    recordings = [rule for level in (SERVICE, ROUTE) for rule in _recordings(level, scale)]
    alerts = (
        Alert(
            name=NAME,
            expression=_expression(SERVICE, scale),
            wait=scale(slo.ERROR_FOR_SECONDS),
            severity="critical",
            level=SERVICE,
            summary="{{ $labels.job }} fails too many requests",
            description=_DESCRIPTION,
        ),
        Alert(
            name=NAME,
            expression=_expression(ROUTE, scale),
            wait=scale(slo.ERROR_FOR_SECONDS),
            severity="warning",
            level=ROUTE,
            summary="{{ $labels.http_route }} of {{ $labels.job }} fails too many requests",
            description=_DESCRIPTION,
        ),
    )
    return (Group("errors", scale(slo.EVALUATION_INTERVAL_SECONDS), (*recordings, *alerts)),)


def _recordings(level: Level, scale: Scale) -> list[Record]:
    windows = (
        (slo.ERROR_WINDOW_SECONDS, REQUESTS_5M, ERRORS_5M),
        (slo.ERROR_LONG_WINDOW_SECONDS, REQUESTS_1H, ERRORS_1H),
    )
    rules = []
    for seconds, requests, errors in windows:
        window = scale(seconds)
        rules.append(Record(requests.at(level), queries.request_rate(level.labels, window)))
        rules.append(Record(errors.at(level), queries.error_rate(level.labels, window)))
    return rules


def _expression(level: Level, scale: Scale) -> str:
    return queries.high_error_ratio(
        level,
        scale(slo.ERROR_WINDOW_SECONDS),
        scale(slo.ERROR_LONG_WINDOW_SECONDS),
        scale(slo.ERROR_RECENT_SECONDS),
    )
