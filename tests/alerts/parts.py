"""Single metrics as a service would export them, in phases: (scrapes, ...) one after another."""

from __future__ import annotations

from collections.abc import Iterable

from instrumentation.contract.metrics import Metric
from instrumentation.contract.promql import bound

JOB = {"job": "orders", "deployment_environment_name": "test", "instance": "i"}
MINUTE = 4
"""Scrapes."""

Series = dict[str, str]


def spelled(name: str, **labels: str) -> str:
    inside = ",".join(f'{label}="{value}"' for label, value in {**JOB, **labels}.items())
    return f"{name}{{{inside}}}"


def gauge(metric: Metric, *phases: tuple[int, float], **labels: str) -> Series:
    """Keep a value for so many scrapes."""
    values = [f"{value:g}" for scrapes, value in phases for _ in range(scrapes)]
    return {"series": spelled(metric.name, **labels), "values": " ".join(values)}


def counter(name: str, *phases: tuple[int, float | None], **labels: str) -> Series:
    """Add so much at each scrape; None is no sample at all, as before a counter's first event."""
    values, total = [], 0.0
    for scrapes, more in phases:
        for _ in range(scrapes):
            total += more or 0
            values.append("_" if more is None else f"{total:g}")
    return {"series": spelled(name, **labels), "values": " ".join(values)}


def histogram(metric: Metric, *phases: tuple[int, float, float], **labels: str) -> Iterable[Series]:
    """Observe at each scrape so many durations of so many seconds."""

    def grow(weight: float, limit: float | None) -> tuple[tuple[int, float], ...]:
        return tuple(
            (scrapes, many * weight if limit is None or seconds <= limit else 0)
            for scrapes, many, seconds in phases
        )

    for limit in metric.buckets:
        yield counter(f"{metric.name}_bucket", *grow(1, limit), **labels, le=bound(limit))
    yield counter(f"{metric.name}_bucket", *grow(1, None), **labels, le="+Inf")
    yield counter(f"{metric.name}_count", *grow(1, None), **labels)
    total = tuple((scrapes, many * seconds) for scrapes, many, seconds in phases)
    yield counter(f"{metric.name}_sum", *total, **labels)


def known(scrapes: int = 1000) -> Series:
    """The process's target_info, which is there from the beginning."""
    return {"series": spelled("target_info"), "values": f"1+0x{scrapes}"}
