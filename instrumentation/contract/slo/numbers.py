"""All sections in one value, which rules are made from."""

from __future__ import annotations

from dataclasses import dataclass, field, fields, is_dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from instrumentation.contract.slo.causes import (
    Background,
    Dependency,
    Garbage,
    Loop,
    Observation,
    Pool,
    Queue,
    Threads,
)
from instrumentation.contract.slo.kinds import MINUTE, interval, kind_of
from instrumentation.contract.slo.objectives import Burn, Objectives
from instrumentation.contract.slo.signals import Signals
from instrumentation.contract.slo.symptoms import Errors, Silence, Tail, Targets, Traffic
from instrumentation.contract.slo.watchers import Watchers

if TYPE_CHECKING:
    from collections.abc import Iterator

    from instrumentation.contract.slo.kinds import Kind

SCRAPE_INTERVAL_SECONDS: Final = 15
"""How often the services are scraped. Every window holds at least four scrapes."""
MIN_SCRAPES_IN_WINDOW: Final = 4
"""A rate needs two samples; four survive the loss of two in a row."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Intervals:
    """How often is measured and asked."""

    scrape: float = interval(SCRAPE_INTERVAL_SECONDS)
    evaluation: float = interval(15)
    """How often the rules are evaluated: once for each scrape, so that none is skipped."""
    usual: float = interval(MINUTE)
    """How often a usual value is computed. It reads a whole day and moves slowly."""
    seldom: float = interval(3 * MINUTE)
    """How often what spans hours is computed for a dashboard. Five minutes after its last sample
    Prometheus takes a series for gone, so it is well below."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Numbers:
    """Every number that a rule may be made with; one instance for all services, or for one.

    Raises ValueError, naming the number as `section.name`, where one is absurd.
    """

    intervals: Intervals = field(default_factory=Intervals)
    tail: Tail = field(default_factory=Tail)
    errors: Errors = field(default_factory=Errors)
    traffic: Traffic = field(default_factory=Traffic)
    silence: Silence = field(default_factory=Silence)
    targets: Targets = field(default_factory=Targets)
    objectives: Objectives = field(default_factory=Objectives)
    signals: Signals = field(default_factory=Signals)
    loop: Loop = field(default_factory=Loop)
    threads: Threads = field(default_factory=Threads)
    pool: Pool = field(default_factory=Pool)
    dependency: Dependency = field(default_factory=Dependency)
    background: Background = field(default_factory=Background)
    queue: Queue = field(default_factory=Queue)
    garbage: Garbage = field(default_factory=Garbage)
    observation: Observation = field(default_factory=Observation)
    watchers: Watchers = field(default_factory=Watchers)

    def __post_init__(self) -> None:
        shortest = MIN_SCRAPES_IN_WINDOW * self.intervals.scrape
        for key, kind, value in keyed(self):
            try:
                kind.check(value)
            except ValueError as error:
                raise ValueError(f"{key}: {error}") from error
            if kind.window and value < shortest:
                raise ValueError(
                    f"{key}: must hold {MIN_SCRAPES_IN_WINDOW} scrapes, {shortest:g} s or more, "
                    f"not {value:g} s"
                )
        self._demand_recorded_windows()
        self._demand_reachable_burns()

    def _demand_recorded_windows(self) -> None:
        """Raise ValueError where a burn rate's window is none that is recorded."""
        budget, base = self.objectives, self.errors.window
        if self.errors.long_window < base:
            raise ValueError(
                f"errors.long_window: must be errors.window, {base:g} s, or more, "
                f"not {self.errors.long_window:g} s"
            )
        if budget.burn_fastest.short < base:
            raise ValueError(
                f"objectives.burn_fastest.short: must be errors.window, {base:g} s, or more, "
                f"not {budget.burn_fastest.short:g} s"
            )
        if budget.burn_sudden.window != budget.burn_fast.short:
            raise ValueError(
                "objectives.burn_sudden.window: must be objectives.burn_fast.short, "
                f"{budget.burn_fast.short:g} s, not {budget.burn_sudden.window:g} s"
            )
        if budget.burn_sudden.short != budget.burn_fastest.short:
            raise ValueError(
                "objectives.burn_sudden.short: must be objectives.burn_fastest.short, "
                f"{budget.burn_fastest.short:g} s, not {budget.burn_sudden.short:g} s"
            )
        if budget.burn_slowest.short != budget.burn_fast.window:
            raise ValueError(
                "objectives.burn_slowest.short: must be objectives.burn_fast.window, "
                f"{budget.burn_fast.window:g} s, not {budget.burn_slowest.short:g} s"
            )

    def _demand_reachable_burns(self) -> None:
        """Raise ValueError where not even an outage would spend a budget fast enough."""
        levels = self.objectives
        for each in fields(levels):
            burn = getattr(levels, each.name)
            if not isinstance(burn, Burn):
                continue
            key = f"objectives.{each.name}"
            if burn.short >= burn.window:
                raise ValueError(
                    f"{key}.short: must be shorter than its window, {burn.window:g} s, "
                    f"not {burn.short:g} s"
                )
            for name in ("availability", "fast"):
                most = 1 / (1 - getattr(levels, name))
                if burn.rate >= most:
                    raise ValueError(
                        f"{key}.rate: must be below {most:.4g}, where objectives.{name} leaves no "
                        f"request that does not count against it, not {burn.rate:g}"
                    )

    def scaled(self, divisor: float) -> Numbers:
        """Return the same levels with every window, wait and interval divided.

        Scrapes must be shortened by the same factor, so every window holds as many of them as
        before. Pasts, floors and thresholds stay.
        """
        return self if divisor == 1 else _divided(self, divisor)


def keyed(section: Any, prefix: str = "") -> Iterator[tuple[str, Kind, float]]:
    """Yield each number's key, such as `errors.ratio`, its kind and its value."""
    for each in fields(section):
        value = getattr(section, each.name)
        kind = kind_of(each)
        if kind:
            yield f"{prefix}{each.name}", kind, value
        elif is_dataclass(value):
            yield from keyed(value, f"{prefix}{each.name}.")


def _divided(section: Any, divisor: float) -> Any:
    changed: dict[str, Any] = {}
    for each in fields(section):
        value = getattr(section, each.name)
        kind = kind_of(each)
        if kind and kind.scaled:
            changed[each.name] = value / divisor
        elif is_dataclass(value):
            changed[each.name] = _divided(value, divisor)
    return replace(section, **changed)


DEFAULTS: Final = Numbers()
