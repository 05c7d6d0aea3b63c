"""What a panel or a recording rule asks of the series that services export.

Each question is a function named after its answer; windows are seconds or Grafana's own. What is
recorded of the answers is in `recordings`, what an alert asks of the recorded in `symptoms`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from instrumentation.contract import promql, slo
from instrumentation.contract.metrics import HTTP_SERVER_REQUEST_DURATION as REQUEST_DURATION

if TYPE_CHECKING:
    from collections.abc import Sequence

    from instrumentation.contract.promql import Window

_ERRORS = promql.matches("http_response_status_code", slo.ERROR_STATUS)
_JUDGED = promql.differs("http_response_status_code", slo.REFUSED_STATUS)


def request_rate(by: Sequence[str], window: Window, matchers: Sequence[str] = ()) -> str:
    """Requests a second."""
    return promql.observations(REQUEST_DURATION, window, by, matchers)


def error_rate(by: Sequence[str], window: Window, matchers: Sequence[str] = ()) -> str:
    """Requests a second that failed with a 5xx; zero where there were requests and none did."""
    errors = promql.observations(REQUEST_DURATION, window, by, (*matchers, _ERRORS))
    return promql.zero_fill(errors, request_rate(by, window, matchers))


def error_ratio(by: Sequence[str], window: Window, matchers: Sequence[str] = ()) -> str:
    """Share of requests that failed with a 5xx, from 0 to 1."""
    return f"{error_rate(by, window, matchers)} / {request_rate(by, window, matchers)}"


def slow_ratio(by: Sequence[str], window: Window, matchers: Sequence[str] = ()) -> str:
    """Share of requests that took longer than the latency objective, from 0 to 1."""
    fast = promql.at_most(REQUEST_DURATION, slo.LATENCY_OBJECTIVE_SECONDS, window, by, matchers)
    return f"1 - {fast} / {request_rate(by, window, matchers)}"


def duration_quantile(
    q: float, by: Sequence[str], window: Window, matchers: Sequence[str] = ()
) -> str:
    """Duration in seconds that the share `q` of requests did not exceed."""
    return promql.quantile(q, REQUEST_DURATION, window, by, matchers)


def failures(by: Sequence[str], window: Window) -> str:
    """Requests a second that failed with a 5xx; nothing where none did."""
    return promql.observations(REQUEST_DURATION, window, by, (_ERRORS,))


def judged_buckets(by: Sequence[str], window: Window) -> str:
    """Requests a second at or below each bound, those aside that were answered with a 4xx.

    Refusing takes no time: a client that scans for pages, or tries passwords, would halve the
    median, and the tail beside it would look long.
    """
    return promql.bucket_rates(REQUEST_DURATION, window, by, (_JUDGED,))


def judged_requests(by: Sequence[str], window: Window) -> str:
    """Requests a second, those aside that were answered with a 4xx."""
    return promql.observations(REQUEST_DURATION, window, by, (_JUDGED,))


def judged_fast(by: Sequence[str], window: Window, seconds: float) -> str:
    """Requests a second that took no longer, those aside that were answered with a 4xx."""
    return promql.at_most(REQUEST_DURATION, seconds, window, by, (_JUDGED,))


def latest_requests(by: Sequence[str], sample: float) -> str:
    """Requests a second between the two newest scrapes of the last `sample` seconds."""
    return promql.latest_observations(REQUEST_DURATION, sample, by)
