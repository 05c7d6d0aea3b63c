"""How a scenario is labelled, and the services that they begin with."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal

from alerts.backtest.draw import Draw
from alerts.backtest.world import DAY_MINUTES, Day, Law, Route, World, during

Kind = Literal["outage", "errors", "tail", "traffic"]

DEADLINES: Final[dict[Kind, int]] = {"outage": 3, "errors": 6, "tail": 15, "traffic": 40}
"""Minutes from an incident's begin to its page, by class."""
BEGIN: Final = 75
"""When incidents begin, in minutes of the live part: the hour before fills every window."""
HARMLESS_MINUTES: Final = 150
"""For how long a harmless day is watched: its event, the hour that it may last, and after."""
STEP_MINUTES: Final = 10
"""Live parts last a multiple of this, so that cases of about the same length share a run."""
_MARGIN_MINUTES: Final = 5
"""For how long an incident is watched after its deadline, so that a late page is told as late."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Incident:
    """What must page.

    Args:
        kind: decides the deadline.
        alerts: any of these is the right page.
        begin: minute of the live part; a page before it is a false one.
        full: minute from which the deadline counts: where the fault grows, when it is full.
    """

    kind: Kind
    alerts: tuple[str, ...]
    begin: float = BEGIN
    full: float = BEGIN

    @property
    def latest(self) -> float:
        """The last minute at which the page is in time."""
        return self.full + DEADLINES[self.kind]

    @property
    def minutes(self) -> int:
        """How long its live part must be."""
        return STEP_MINUTES * math.ceil((self.latest + _MARGIN_MINUTES) / STEP_MINUTES)


@dataclass(frozen=True, kw_only=True, slots=True)
class Scenario:
    """A labelled scenario.

    Args:
        name: what the command line and the table call it.
        story: one line for the table.
        make: draws a service and, where it is an incident, what must page.
        weeks: whether it is compared with past weeks too. promtool passes them minute by minute.
        past_only: whether only the number of its requests is unusual, and nothing of how they are
            answered: then it is replayed with past weeks alone.
        autumn: whether it is replayed in the weeks after clocks changed.
    """

    name: str
    story: str
    make: Callable[[Draw], tuple[World, Incident | None]]
    weeks: bool = False
    past_only: bool = False
    autumn: bool = False


Harmless = Callable[[Draw], World]
Harmful = Callable[[Draw], tuple[World, Incident]]


def story(function: Callable[[Draw], object]) -> str:
    """Return a scenario's docstring in one line, without its full stop."""
    return " ".join((function.__doc__ or "").split()).rstrip(".")


def some_law(draw: Draw, low: float = 0.02, high: float = 0.12) -> Law:
    """A healthy service's latency: p99 is 2 to 3.6 times p50, the median between these."""
    return Law(
        median=draw.by_size("median latency, s", low, high),
        sigma=draw.evenly("sigma of the latency's logarithm", 0.3, 0.55),
    )


def some_bimodal_law(draw: Draw) -> Law:
    """A latency with fast and slow requests by nature."""
    return Law(
        median=draw.by_size("median latency, s", 0.02, 0.12),
        sigma=draw.evenly("sigma of the latency's logarithm", 0.3, 0.5),
        slow_share=draw.evenly("share of slow requests by nature", 0.02, 0.3),
        slow=draw.by_size("slow ones take, s", 0.4, 4),
    )


def some_law_slow_at_p99(draw: Draw) -> Law:
    """A latency of which about one request in a hundred is slow by nature."""
    return Law(
        median=draw.by_size("median latency, s", 0.02, 0.12),
        sigma=0.4,
        slow_share=draw.by_size("share of slow requests by nature", 0.003, 0.015),
        slow=draw.by_size("slow ones take, s", 0.5, 5),
    )


def some_day(draw: Draw) -> Day:
    """Any hour of a day whose traffic rises and falls."""
    return Day(
        swing=draw.evenly("daily swing", 0.2, 0.6),
        peak=draw.evenly("minutes until the daily peak", 0, DAY_MINUTES),
    )


def some_service(
    draw: Draw,
    low: float = 5,
    high: float = 50,
    *,
    instances: int = 1,
    split: float = 0,
    weeks: int = 3,
    day: Day | None = None,
) -> World:
    """A healthy service of one route, or of two.

    Args:
        draw: draws its latency, traffic and errors.
        low: the least requests a second.
        high: the most.
        instances: how many.
        split: share of the requests that goes to the second route; none, and there is one route.
        weeks: how many weeks of past it has.
        day: shape of its traffic; any without.
    """
    law = some_law(draw)
    requests = draw.by_size("requests a second", low, high)
    routes = (
        Route(name="/orders", share=1 - split, law=law),
        Route(name="/orders/{order_id}", share=split, law=law),
    )
    return World(
        requests=requests,
        routes=routes if split else routes[:1],
        instances=instances,
        day=day or some_day(draw),
        background=draw.evenly("share of errors on any day", 0, 0.0005),
        weeks=weeks,
    )


def crash_again_and_again(draw: Draw, world: World, times: int) -> None:
    """The first instance crashes as soon as it lives, and is started later each time.

    Kubernetes waits for twice as long each time, five minutes at most.
    """
    minute = float(BEGIN)
    for nth in range(times):
        lives = minute + min(10 * 2**nth, 300) / 60
        world.seen[0, during(minute, lives)] = False
        world.up[0, during(minute, lives)] = 0
        world.restarts.append((0, lives))
        minute = lives + draw.evenly("it lives for, s", 10, 30) / 60
