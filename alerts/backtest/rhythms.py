"""Traffic with a shape of its own, which is no loss of requests. Nothing may page."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from alerts.backtest.catalog import BEGIN, some_service
from alerts.backtest.world import SLOTS, SLOTS_A_MINUTE, World, during, since

if TYPE_CHECKING:
    from collections.abc import Callable

    from alerts.backtest.draw import Draw
    from alerts.backtest.world import Numbers


def doubled_for_an_hour(draw: Draw) -> World:
    """Twice or three times as many requests as usual, and after an hour as many as ever."""
    world = some_service(draw, 2, 60)
    begin = BEGIN - draw.evenly("minutes", 20, 60)
    world.rate[..., during(begin, BEGIN)] *= draw.evenly("times as many requests", 2, 3)
    return world


def weekend(draw: Draw) -> World:
    """A weekend begins: few of a week's requests come, as on every weekend."""
    share = draw.evenly("share of the requests at a weekend", 0.05, 0.5)

    def rest(minutes: Numbers) -> Numbers:
        return np.where(minutes < BEGIN, 1, share)

    return _shaped(some_service(draw, 2, 60), rest)


def batch_each_hour(draw: Draw) -> World:
    """A batch client that comes for some minutes of each hour, as it did in past weeks."""
    return _batch(draw, weeks=3)


def batch_each_hour_since_today(draw: Draw) -> World:
    """A batch client that comes for some minutes of each hour, since some hours."""
    return _batch(draw, weeks=0)


def new_service(draw: Draw) -> World:
    """The first hours of a service, of which nothing is known."""
    world = some_service(draw, 2, 60)
    world.young = True
    world.rate[..., during(0, 10)] = 0
    return world


def fewer_from_minute_to_minute(draw: Draw) -> World:
    """Requests come in waves of minutes, as of users who all wait for the same event."""
    world = some_service(draw, 5, 60)
    height = draw.evenly("height of the waves", 0.3, 0.9)
    lasting = draw.evenly("minutes from wave to wave", 4, 12)
    minutes = np.arange(SLOTS) / SLOTS_A_MINUTE
    world.rate *= 1 + height * np.sin(2 * np.pi * minutes / lasting)
    return world


def evening(draw: Draw) -> World:
    """Users leave a service within an hour, as every evening of past weeks."""
    lasting = draw.evenly("minutes until nearly all have left", 30, 70)

    def leave(minutes: Numbers) -> Numbers:
        return np.clip(1 - (minutes - BEGIN) / lasting, 0.02, 1)

    return _shaped(some_service(draw, 2, 60), leave)


def closing_time(draw: Draw) -> World:
    """An office whose users leave at the same hour each week, give or take ten minutes."""
    world = some_service(draw, 1, 20)
    leave = BEGIN + draw.evenly("minutes later than in past weeks", -10, 10)
    world.rate[..., since(leave)] = 0
    world.past_quiet = lambda minutes: np.where((minutes > BEGIN) & (minutes < 600), 0.0, 1.0)
    return world


def opening_time(draw: Draw) -> World:
    """An office whose users come at the same hour each week, give or take ten minutes."""
    world = some_service(draw, 1, 20)
    come = BEGIN + draw.evenly("minutes later than in past weeks", -10, 10)
    few = 0.01
    world.rate[..., during(0, come)] *= few
    world.past_quiet = lambda minutes: np.where((minutes < BEGIN) & (minutes > -600), few, 1.0)
    return world


def _batch(draw: Draw, weeks: int) -> World:
    lasting = draw.whole("minutes of each hour", 3, 12)

    def pulses(minutes: Numbers) -> Numbers:
        return np.where(np.mod(minutes, 60) < lasting, 1.0, 0.0)

    return _shaped(some_service(draw, 2, 60, weeks=weeks), pulses)


def _shaped(world: World, shape: Callable[[Numbers], Numbers]) -> World:
    """Let the requests of today and of past weeks follow a shape, by minutes of the live part."""
    world.rate *= shape(np.arange(SLOTS) / SLOTS_A_MINUTE)
    world.past_quiet = shape
    return world
