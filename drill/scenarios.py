"""The three thresholds, and the fault that must cross each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from drill import evidence
from instrumentation.contract import slo
from instrumentation.contract.recorded import REQUESTS_30M_USUAL, TAIL_10M_USUAL, Recorded

if TYPE_CHECKING:
    from collections.abc import Callable

    from drill.demo import Demo
    from drill.evidence import Backends, Evidence

WATCHDOG: Final = "Watchdog"
"""Fires always: it shows that the whole way to the receiver works."""

_LESS_LOAD: Final = 0.6


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """One fault, and what must come of it.

    Args:
        name: what the command line and the table call it.
        alert: name of the rule that must page.
        also: names of other rules that may page, for they see the same fault in another way.
        beyond: other services that the fault reaches, so that the same rules may page for them.
        fault: what is done to the demo, for the table.
        start: does it.
        end: undoes it.
        evidence: describes the culprit, given the fault's Unix time; None while it finds none.
        window_seconds: how far back the rule looks, unscaled.
        wait_seconds: the rule's `for`, unscaled.
        past: the recorded usual value that the rule compares with, if it does.
    """

    name: str
    alert: str
    fault: str
    start: Callable[[Demo], None]
    end: Callable[[Demo], None]
    evidence: Callable[[Backends, float], Evidence | None]
    window_seconds: float
    wait_seconds: float
    past: Recorded | None = None
    also: tuple[str, ...] = ()
    beyond: tuple[str, ...] = ()


SCENARIOS: Final = (
    Scenario(
        name="slow_tail",
        alert="HighTailLatency",
        fault="a few requests wait",
        start=lambda demo: demo.switch_fault("slow_tail", True),
        end=lambda demo: demo.switch_fault("slow_tail", False),
        evidence=evidence.slow_trace,
        window_seconds=slo.DEFAULTS.tail.window,
        wait_seconds=slo.DEFAULTS.tail.wait,
        past=TAIL_10M_USUAL,
        also=("LatencyBudgetBurn",),
    ),
    Scenario(
        name="errors",
        alert="HighErrorRatio",
        fault="some requests raise",
        start=lambda demo: demo.switch_fault("errors", True),
        end=lambda demo: demo.switch_fault("errors", False),
        evidence=evidence.failed_trace,
        window_seconds=slo.DEFAULTS.errors.window,
        wait_seconds=slo.DEFAULTS.errors.wait,
        also=("AvailabilityBudgetBurn",),
    ),
    Scenario(
        name="traffic",
        alert="TrafficDrop",
        fault=f"{1 - _LESS_LOAD:.0%} of the requests stay away",
        start=lambda demo: demo.set_load(_LESS_LOAD),
        end=lambda demo: demo.set_load(1),
        evidence=evidence.missing_requests,
        window_seconds=slo.DEFAULTS.traffic.window,
        wait_seconds=slo.DEFAULTS.traffic.wait,
        past=REQUESTS_30M_USUAL,
        # Orders that nobody makes are not paid for either.
        beyond=("payments",),
    ),
)
