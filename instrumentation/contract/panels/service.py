"""What a service gives, what it is made of, and how both compare with last week."""

from __future__ import annotations

from typing import TYPE_CHECKING

from instrumentation.contract import promql, queries, slo
from instrumentation.contract.metrics import HTTP_SERVER_ABORTED_REQUESTS
from instrumentation.contract.recorded import (
    ERRORS_5M,
    LAST_WEEK,
    P99_10M,
    REQUESTS_5M,
    ROUTE,
    SERVICE,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from instrumentation.contract.promql import Window

_RELEASE = ("job", "service_version")
_TELEMETRY = "|".join((slo.COLLECTOR_JOB, slo.PROMETHEUS_JOB, *slo.TICKET_JOBS, "alertmanager"))


def requests_last_week(matchers: Sequence[str]) -> str:
    """Requests a second a week ago. Recorded: all instances and routes."""
    return promql.selector(LAST_WEEK[REQUESTS_5M].at(SERVICE), matchers)


def errors_last_week(matchers: Sequence[str]) -> str:
    """Share of the requests that failed with a 5xx a week ago. Recorded."""
    errors = promql.selector(LAST_WEEK[ERRORS_5M].at(SERVICE), matchers)
    return f"{errors} / ({requests_last_week(matchers)} > 0)"


def tail_last_week(matchers: Sequence[str]) -> str:
    """99th percentile of the durations a week ago. Recorded."""
    return promql.selector(LAST_WEEK[P99_10M].at(SERVICE), matchers)


def slowest_routes(window: Window, matchers: Sequence[str]) -> str:
    """99th percentile of the durations of the ten routes where it is longest."""
    p99 = queries.duration_quantile(0.99, ROUTE.labels, window, matchers)
    return f"topk(10, {promql.present(p99)})"


def aborted(by: Sequence[str], window: Window, matchers: Sequence[str]) -> str:
    """Requests a second whose client left first."""
    return promql.rate(HTTP_SERVER_ABORTED_REQUESTS, window, by, matchers)


def instances_by_release(matchers: Sequence[str]) -> str:
    """How many instances run each version of a service."""
    return f"count by ({', '.join(_RELEASE)}) ({promql.selector('target_info', matchers)})"


def releases(matchers: Sequence[str], past: float, step: float) -> str:
    """A series for each version that runs now and did not in the `past` until a `step` ago."""
    by = ", ".join(_RELEASE)
    before = f"last_over_time({promql.selector('target_info', matchers)}[{promql.duration(past)}] "
    before += f"offset {promql.duration(step)})"
    # Where nothing at all was known of the job, its telemetry is new, not its version.
    return f"{instances_by_release(matchers)} unless on ({by}) {before}\nand on (job) {before}"


def telemetry_up() -> str:
    """1 while a part of the telemetry answers its scrapes, 0 while it does not."""
    return f"min by (job) ({promql.selector('up', (promql.matches('job', _TELEMETRY),))})"


def cpu(by: Sequence[str], window: Window, matchers: Sequence[str]) -> str:
    """Cores in use."""
    used = promql.selector("process_cpu_seconds_total", matchers)
    return promql.total(f"rate({used}[{promql.duration(window)}])", by)


def cpu_a_request(by: Sequence[str], window: Window, matchers: Sequence[str]) -> str:
    """Seconds of CPU for each request."""
    return f"{cpu(by, window, matchers)} / ({queries.request_rate(by, window, matchers)} > 0)"


def memory(by: Sequence[str], matchers: Sequence[str]) -> str:
    """Resident memory in bytes."""
    return promql.total(promql.selector("process_resident_memory_bytes", matchers), by)


def memory_a_request(by: Sequence[str], window: Window, matchers: Sequence[str]) -> str:
    """Bytes by which memory grew for each request; what stays above zero for hours is a leak."""
    held = promql.selector("process_resident_memory_bytes", matchers)
    grown = promql.total(f"deriv({held}[{promql.duration(window)}])", by)
    return f"{grown} / ({queries.request_rate(by, window, matchers)} > 0)"
