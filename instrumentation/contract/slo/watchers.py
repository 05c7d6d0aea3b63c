"""Numbers of the watchers: who tells that the telemetry itself fails."""

from __future__ import annotations

from dataclasses import dataclass

from instrumentation.contract.slo import kinds
from instrumentation.contract.slo.kinds import MINUTE


@dataclass(frozen=True, kw_only=True, slots=True)
class Watchers:
    """Collector, Prometheus and Alertmanager, as their own metrics tell."""

    window: float = kinds.window(5 * MINUTE)
    wait: float = kinds.wait(2 * MINUTE)
    """Longer than a restart of the collector or of a backend, through which queues help."""
    instance: float = kinds.wait(5 * MINUTE)
    """One of several instances is down for longer than a restart takes."""
    queue: float = kinds.share(0.2)
    """Share of an exporter's queue that is filled. When it is full, what comes is refused; at a
    fifth, four times as long is left as it took so far."""
    missed: float = kinds.count(3)
    """Evaluations of a group of rules that were left out in the window, because the ones before
    took too long. A start of Prometheus may cost one."""
    failed: float = kinds.share(0.01)
    """Share of the messages that could not be sent. Alertmanager has retried each by then."""
