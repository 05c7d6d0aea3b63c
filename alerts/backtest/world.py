"""A service in the last hours: who asks what of which instance, and how it answers.

Everything is an array over instance, route and slot, a slot being a scrape interval; a scenario
changes what is different in it. Times are minutes of the live part.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import numpy as np

from instrumentation.contract import slo

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy.typing as npt

    Numbers = npt.NDArray[np.float64]

SLOT_SECONDS: Final = slo.SCRAPE_INTERVAL_SECONDS
SLOTS_A_MINUTE: Final = 60 // SLOT_SECONDS
LIVE_MINUTES: Final = 180
SLOTS: Final = LIVE_MINUTES * SLOTS_A_MINUTE
DAY_MINUTES: Final = 24 * 60
WEEK_MINUTES: Final = 7 * DAY_MINUTES
ALL: Final = slice(None)


@dataclass(frozen=True, kw_only=True, slots=True)
class Law:
    """How long requests take: lognormal, a share of them by a second, slower lognormal law.

    Args:
        median: in seconds.
        sigma: of the logarithm, of both laws.
        slow_share: by nature, from 0 to 1.
        slow: median of the slower law in seconds.
    """

    median: float
    sigma: float
    slow_share: float = 0
    slow: float = 1


@dataclass(frozen=True, kw_only=True, slots=True)
class Route:
    """A template and the share of the service's requests that goes to it."""

    name: str
    share: float
    law: Law
    status: str = "200"


@dataclass(frozen=True, kw_only=True, slots=True)
class Day:
    """The daily shape of traffic.

    Args:
        swing: by which share it rises and falls around its mean.
        peak: when it is highest, in minutes from the beginning of the live part.
    """

    swing: float = 0
    peak: float = 0

    def at(self, minute: Numbers) -> Numbers:
        """Traffic at these minutes, as a factor of its mean."""
        return 1 + self.swing * np.cos(2 * np.pi * (minute - self.peak) / DAY_MINUTES)


@dataclass(kw_only=True, slots=True)
class Stall:
    """An instance that answers nothing for a while, and then everything that waited."""

    instance: int
    minute: float
    seconds: float


@dataclass(kw_only=True)
class World:
    """A service; the arrays are what scenarios change.

    Args:
        requests: a second, all routes and instances, the mean of the day.
        routes: with their natural laws.
        instances: how many share the requests evenly.
        day: shape of the traffic.
        background: share of requests that fail on any day.
        weeks: how many weeks of past there are; none still means a day, unless `young`.
        young: whether nothing at all is known of what was before the live part.
        holidays: factor of the traffic one, two and three weeks ago.
        clock: minutes by which users come later since clocks changed.
        clock_weeks: how many weeks ago that was.
        past_quiet: factor of the traffic in past weeks, by minute of the live part.
        error_status: with which requests fail.
        error_seconds: how long a request takes that fails; None for as long as others.
        stalls: instances that stand still.
        restarts: instance and minute at which its counters begin anew.
    """

    requests: float
    routes: tuple[Route, ...]
    instances: int = 1
    day: Day = field(default_factory=Day)
    background: float = 0
    weeks: int = 3
    young: bool = False
    holidays: tuple[float, float, float] = (1, 1, 1)
    clock: float = 0
    clock_weeks: int = 0
    past_quiet: Callable[[Numbers], Numbers] | None = None
    error_status: str = "500"
    error_seconds: float | None = None
    stalls: list[Stall] = field(default_factory=list)
    restarts: list[tuple[int, float]] = field(default_factory=list)

    def __post_init__(self) -> None:
        shape = (self.instances, len(self.routes), SLOTS)
        minutes = (np.arange(SLOTS) + 0.5) / SLOTS_A_MINUTE
        shares = np.array([route.share for route in self.routes]) / self.instances
        flow = self.requests * self.day.at(minutes - self.clock)
        self.rate: Numbers = np.broadcast_to(shares[None, :, None] * flow, shape).copy()
        self.errors: Numbers = np.full(shape, self.background)
        laws = [route.law for route in self.routes]
        shares = np.array([law.slow_share for law in laws], dtype=float)
        self.slow_share: Numbers = np.broadcast_to(shares[None, :, None], shape).copy()
        slow = np.array([law.slow for law in laws], dtype=float)
        self.slow: Numbers = np.broadcast_to(slow[None, :, None], shape).copy()
        self.factor: Numbers = np.ones(shape)
        self.seen = np.ones((self.instances, SLOTS), dtype=bool)
        """Whether an instance's series are scraped."""
        self.up: Numbers = np.ones((self.instances, SLOTS))
        """1 or 0 as the scrape said; NaN where there is no target."""

    def times_slower(self, seconds: float, place: int = 0) -> float:
        """The factor that makes half of a route's requests take longer than this."""
        return seconds / self.routes[place].law.median

    def expected(self, minutes: Numbers, weeks_ago: int = 0) -> Numbers:
        """Requests a second at minutes of the live part, or of the same time in a past week."""
        shifted = self.clock if self.clock_weeks >= weeks_ago else 0
        holiday = self.holidays[weeks_ago - 1] if weeks_ago else 1
        flow = self.requests * self.day.at(minutes - shifted) * holiday
        return flow if self.past_quiet is None else flow * self.past_quiet(minutes)


def since(minute: float) -> slice:
    """Slots from a minute on."""
    return slice(round(minute * SLOTS_A_MINUTE), SLOTS)


def during(start: float, end: float) -> slice:
    """Slots between two minutes."""
    return slice(round(start * SLOTS_A_MINUTE), round(end * SLOTS_A_MINUTE))


def grown(start: float, end: float) -> Numbers:
    """For each slot, how far something has grown: 0 until `start`, 1 from `end` on."""
    minutes = (np.arange(SLOTS) + 0.5) / SLOTS_A_MINUTE
    return np.clip((minutes - start) / (end - start), 0, 1)
