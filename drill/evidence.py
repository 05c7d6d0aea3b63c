"""Finds the culprit behind a page: a trace by way of an exemplar, or the requests that lack."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from drill.demo import SERVICE
from instrumentation.contract import promql, recorded, slo
from instrumentation.contract.metrics import HTTP_SERVER_REQUEST_DURATION as DURATION

if TYPE_CHECKING:
    from collections.abc import Callable

    from drill.jaeger import Jaeger, Span
    from drill.prometheus import Exemplar, Prometheus


@dataclass(frozen=True)
class Evidence:
    """The culprit in a table's cell, and in a sentence."""

    short: str
    detail: str


_JOB: Final = promql.equals("job", SERVICE)
_FAILED: Final = promql.matches("http_response_status_code", slo.ERROR_STATUS)
_LATEST: Final = 5
"""Exemplars that are followed at each turn: the newest one's trace may still be on its way."""


@dataclass(frozen=True)
class Backends:
    """Where evidence is looked for."""

    prometheus: Prometheus
    jaeger: Jaeger


def slow_trace(backends: Backends, since: float) -> Evidence | None:
    """Describe the trace of a request that took long enough to be in the tail.

    Args:
        backends: where to look.
        since: Unix time of the fault; what came before proves nothing.
    """
    return _follow(
        backends,
        promql.selector(f"{DURATION.name}_bucket", (_JOB,)),
        since,
        exemplar=lambda each: each.value > slo.DEFAULTS.tail.floor,
        span=lambda each: each.seconds > slo.DEFAULTS.tail.floor,
    )


def failed_trace(backends: Backends, since: float) -> Evidence | None:
    """Describe the trace of a request that failed, and the exception that it recorded."""
    return _follow(
        backends,
        promql.selector(f"{DURATION.name}_bucket", (_JOB, _FAILED)),
        since,
        exemplar=lambda each: True,
        span=lambda each: each.failed and bool(each.exception),
    )


def missing_requests(backends: Backends, since: float) -> Evidence | None:
    """Describe how many requests a second past weeks expect and how many are seen."""
    expected = _recorded(backends.prometheus, recorded.REQUESTS_30M_USUAL)
    seen = _recorded(backends.prometheus, recorded.REQUESTS_30M)
    if expected is None or seen is None or seen >= (1 - slo.DEFAULTS.traffic.drop) * expected:
        return None
    short = f"{expected:.1f} requests/s expected, {seen:.1f} seen"
    return Evidence(short, f"{short}, {1 - seen / expected:.0%} are missing")


def _follow(
    backends: Backends,
    selector: str,
    since: float,
    *,
    exemplar: Callable[[Exemplar], bool],
    span: Callable[[Span], bool],
) -> Evidence | None:
    found = backends.prometheus.exemplars(selector, since)
    for candidate in [each for each in found if exemplar(each)][:_LATEST]:
        for each in backends.jaeger.trace(candidate.trace_id):
            if each.span_id == candidate.span_id and each.service == SERVICE and span(each):
                short = f"trace {candidate.trace_id}"
                return Evidence(short, f"{short}: {_described(each)}")
    return None


def _described(span: Span) -> str:
    cause = f", {span.exception}" if span.exception else ""
    return f"{span.name}, {span.seconds:.3f} s{cause}"


def _recorded(prometheus: Prometheus, quantity: recorded.Recorded) -> float | None:
    return prometheus.value(promql.selector(quantity.at(recorded.SERVICE), (_JOB,)))
