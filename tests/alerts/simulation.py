"""Time series as a service would export them, for promtool's unit tests."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from instrumentation.contract.metrics import HTTP_SERVER_REQUEST_DURATION as DURATION
from instrumentation.contract.promql import bound

FAST: Mapping[float, float] = {0.02: 0.5, 0.04: 0.48, 0.08: 0.02}
"""Shares of requests by their duration in seconds: p99 is about twice p50."""
SLOW_TAIL: Mapping[float, float] = {0.02: 0.5, 0.04: 0.45, 0.9: 0.05}
"""Every twentieth request is slow: p99 is more than twenty times p50, and above 300 ms."""


@dataclass(frozen=True)
class Phase:
    """A stretch of time in which a service behaves evenly.

    `requests` are those of one scrape interval. `seen=False` is a hole: the service goes on, but
    no sample arrives. `restart=True` sets the counters back to zero at the phase's start, and
    `exists=False` means that there is no service and that its counters are lost.
    """

    scrapes: int
    requests: float = 300
    errors: float = 0
    durations: Mapping[float, float] = field(default_factory=lambda: FAST)
    seen: bool = True
    restart: bool = False
    exists: bool = True


def service(
    job: str,
    *phases: Phase,
    route: str = "/orders",
    bounds: Sequence[float] = DURATION.buckets,
) -> list[dict[str, str]]:
    """Return promtool's input series of one route of a service through its phases."""
    identity = f'deployment_environment_name="test",http_route="{route}",instance="i",job="{job}"'
    values: dict[str, list[str]] = defaultdict(list)
    totals: dict[str, float] = defaultdict(float)
    for phase in phases:
        if phase.restart or not phase.exists:
            totals.clear()
        grow = _increments(phase, identity, bounds)
        for _ in range(phase.scrapes):
            for name, amount in grow.items():
                totals[name] += amount
                values[name].append(f"{totals[name]:g}" if phase.seen and phase.exists else "_")
    return [{"series": name, "values": " ".join(samples)} for name, samples in values.items()]


def steady(series: str, value: float, scrapes: int) -> dict[str, str]:
    """Return a series that keeps one value."""
    return {"series": series, "values": f"{value:g}+0x{scrapes - 1}"}


def _increments(phase: Phase, identity: str, bounds: Sequence[float]) -> dict[str, float]:
    grow: dict[str, float] = {}
    errors = phase.requests * phase.errors
    for status, requests in (("200", phase.requests - errors), ("500", errors)):
        labels = f'{identity},http_response_status_code="{status}"'
        grow[f"{DURATION.name}_count{{{labels}}}"] = requests
        for limit in bounds:
            share = sum(part for seconds, part in phase.durations.items() if seconds <= limit)
            # Other SDKs have whole bounds, which OTLP spells without a point.
            spelled = f"{limit:g}" if float(limit).is_integer() else bound(limit)
            series = f'{DURATION.name}_bucket{{{labels},le="{spelled}"}}'
            grow[series] = requests * share
        grow[f'{DURATION.name}_bucket{{{labels},le="+Inf"}}'] = requests
    return grow
