"""Incidents that hit a part of the requests, of the replicas or of the time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from alerts.backtest.catalog import (
    BEGIN,
    Incident,
    crash_again_and_again,
    some_law_slow_at_p99,
    some_service,
)
from alerts.backtest.incidents import ERRORS, TAIL, Made
from alerts.backtest.world import SLOTS, SLOTS_A_MINUTE, Route, World, during, since

if TYPE_CHECKING:
    from alerts.backtest.draw import Draw


def errors_of_one_route_of_fifty(draw: Draw) -> Made:
    """One route of fifty fails wholly: two of a hundred requests."""
    world = some_service(draw, 50, 150, split=0.02)
    world.errors[:, 1, since(BEGIN)] = 1
    return world, ERRORS


def errors_after_waiting(draw: Draw) -> Made:
    """Some requests fail, each after it has waited for something."""
    world = some_service(draw)
    world.errors[..., since(BEGIN)] = draw.evenly("share of errors", 0.03, 0.1)
    world.error_seconds = draw.by_size("they wait for, s", 1, 10)
    world.error_status = "503"
    return world, ERRORS


def errors_in_waves(draw: Draw) -> Made:
    """Every few minutes some requests fail for a minute."""
    world = some_service(draw, 10, 60)
    every = draw.whole("minutes from wave to wave", 2, 4)
    minutes = np.arange(SLOTS) / SLOTS_A_MINUTE - BEGIN
    failing = (minutes >= 0) & (np.mod(minutes, every) < 1)
    world.errors[..., failing] = draw.evenly("share of errors", 0.15, 0.5)
    return world, ERRORS


def minute_of_outage(draw: Draw) -> Made:
    """Every request fails for a minute."""
    world = some_service(draw)
    world.errors[..., during(BEGIN, BEGIN + 1)] = 1
    return world, ERRORS


def slow_tail_beside_usual(draw: Draw) -> Made:
    """About one request in a hundred is slow by nature, and some more become slow."""
    law = some_law_slow_at_p99(draw)
    world = World(
        requests=draw.by_size("requests a second", 2, 50),
        routes=(Route(name="/search", share=1, law=law),),
    )
    world.slow_share[..., since(BEGIN)] += draw.evenly("share of those that become slow", 0.03, 0.1)
    return world, TAIL


def slow_half_of_replicas(draw: Draw) -> Made:
    """Half of the replicas answer slowly."""
    half = draw.whole("slow replicas", 1, 3)
    world = some_service(draw, 10, 50, instances=2 * half)
    world.factor[:half, :, since(BEGIN)] = world.times_slower(draw.by_size("they take, s", 1, 5))
    return world, TAIL


def slow_most_replicas(draw: Draw) -> Made:
    """Two of three replicas answer slowly."""
    world = some_service(draw, 10, 50, instances=3)
    world.factor[:2, :, since(BEGIN)] = world.times_slower(draw.by_size("they take, s", 1, 5))
    return world, TAIL


def half_over_the_objective(draw: Draw) -> Made:
    """Every request becomes about ten times slower, and half of them miss the objective."""
    world = some_service(draw)
    world.factor[..., since(BEGIN)] = world.times_slower(
        draw.evenly("median while slow, s", 0.5, 0.8)
    )
    return world, TAIL


def crash_loop(draw: Draw) -> Made:
    """The only instance crashes again and again, and is started later each time."""
    world = some_service(draw, 5, 50)
    world.rate[..., since(BEGIN)] = 0
    crash_again_and_again(draw, world, times=9)
    return world, Incident(kind="tail", alerts=("TargetGone", "TrafficGone"))
