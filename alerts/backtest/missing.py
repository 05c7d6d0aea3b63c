"""Incidents of traffic: users who usually come don't."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from alerts.backtest.catalog import BEGIN, Incident, some_service
from alerts.backtest.world import Day, World, during, since

if TYPE_CHECKING:
    from alerts.backtest.draw import Draw

LOST: Final = Incident(kind="traffic", alerts=("TrafficDrop",))
GONE: Final = Incident(kind="traffic", alerts=("TrafficGone", "TrafficDrop"))

Made = tuple[World, Incident]


def traffic_lost(draw: Draw) -> Made:
    """A quarter to two fifths of the requests stay away, of many."""
    return _losing(draw, some_service(draw, 9, 50), 0.27, 0.4)


def traffic_lost_a_quarter(draw: Draw) -> Made:
    """A quarter of the requests stays away, of very many."""
    return _losing(draw, some_service(draw, 30, 60, day=_even(draw)), 0.25, 0.27)


def traffic_lost_of_few(draw: Draw) -> Made:
    """Two fifths of the requests stay away, of just enough."""
    return _losing(draw, some_service(draw, 3, 6, day=_even(draw)), 0.38, 0.5)


def traffic_lost_young(draw: Draw) -> Made:
    """A third of the requests stays away from a service that is a week old."""
    return _losing(draw, some_service(draw, 9, 50, weeks=1), 0.28, 0.4)


def traffic_lost_while_restarting(draw: Draw) -> Made:
    """A release loses a third of the requests, and its restarts set the counters back."""
    world = some_service(draw, 9, 50, instances=3)
    world.restarts += [(instance, BEGIN + 2 * instance) for instance in range(3)]
    return _losing(draw, world, 0.28, 0.4)


def traffic_lost_after_a_holiday(draw: Draw) -> Made:
    """A third of the requests stays away, a week after a holiday."""
    world = some_service(draw, 12, 50)
    world.holidays = (draw.evenly("traffic on the holiday", 0.2, 0.5), 1, 1)
    return _losing(draw, world, 0.3, 0.4)


def traffic_lost_in_autumn(draw: Draw) -> Made:
    """A third of the requests stays away, while clocks have just changed."""
    return _losing(draw, some_service(draw, 12, 50, day=_even(draw)), 0.3, 0.4)


def traffic_lost_of_one_route(draw: Draw) -> Made:
    """Nobody finds one route any more, which had a third of the requests."""
    world = some_service(draw, 9, 50, split=draw.evenly("the route's share", 0.28, 0.4))
    world.rate[:, 1, since(BEGIN)] = 0
    return world, LOST


def traffic_gone(draw: Draw) -> Made:
    """Nobody comes any more, and the service is well."""
    world = some_service(draw, 0.5, 40)
    world.rate[..., since(BEGIN)] = 0
    return world, GONE


def traffic_gone_without_past(draw: Draw) -> Made:
    """Nobody comes any more to a service that is some hours old."""
    world = some_service(draw, 0.5, 40, weeks=0)
    world.rate[..., since(BEGIN)] = 0
    return world, GONE


def traffic_gone_with_a_restart(draw: Draw) -> Made:
    """A restart, after which nobody comes: not even the series come back."""
    world = some_service(draw, 1, 40)
    world.rate[..., since(BEGIN)] = 0
    world.seen[:, since(BEGIN)] = False
    world.up[:, during(BEGIN, BEGIN + 0.5)] = 0
    return world, GONE


def _losing(draw: Draw, world: World, low: float, high: float) -> Made:
    world.rate[..., since(BEGIN)] *= 1 - draw.evenly("share of lost requests", low, high)
    return world, LOST


def _even(draw: Draw) -> Day:
    """An hour of the day at which traffic neither rises nor falls much."""
    return Day(
        swing=draw.evenly("daily swing", 0.2, 0.5),
        peak=draw.evenly("minutes until the daily peak", 0, 180),
    )
