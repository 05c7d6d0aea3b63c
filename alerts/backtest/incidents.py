"""Incidents of latency, errors and missing answers. Each must page within its class's deadline."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from alerts.backtest.catalog import BEGIN, Incident, some_service
from alerts.backtest.world import Law, Route, World, during, grown, since

if TYPE_CHECKING:
    from alerts.backtest.draw import Draw

TAIL: Final = Incident(kind="tail", alerts=("HighTailLatency", "LatencyBudgetBurn"))
ERRORS: Final = Incident(kind="errors", alerts=("HighErrorRatio", "AvailabilityBudgetBurn"))
OUTAGE: Final = Incident(kind="outage", alerts=("HighErrorRatio", "TargetGone"))

Made = tuple[World, Incident]


def slow_tail(draw: Draw) -> Made:
    """Some requests of every route become slow."""
    world = some_service(draw)
    world.slow_share[..., since(BEGIN)] = draw.evenly("share of slow requests", 0.03, 0.1)
    world.slow[:] = draw.by_size("slow requests take, s", 1, 10)
    return world, TAIL


def slow_tail_small(draw: Draw) -> Made:
    """Two or three of a hundred requests become slow."""
    world = some_service(draw, 20, 60)
    world.slow_share[..., since(BEGIN)] = draw.evenly("share of slow requests", 0.02, 0.03)
    world.slow[:] = draw.by_size("slow requests take, s", 0.8, 5)
    return world, TAIL


def hanging_tail(draw: Draw) -> Made:
    """A few requests hang until a time-out."""
    world = some_service(draw, 20, 60)
    world.slow_share[..., since(BEGIN)] = draw.evenly("share of hanging requests", 0.02, 0.05)
    world.slow[:] = draw.by_size("they hang for, s", 10, 50)
    return world, TAIL


def slow_route(draw: Draw) -> Made:
    """One route of several becomes slow as a whole."""
    world = some_service(draw, split=draw.evenly("the route's share", 0.05, 0.3))
    slowness = draw.by_size("times slower", 15, 50)
    world.factor[:, 1, since(BEGIN)] = max(slowness, 0.5 / world.routes[1].law.median)
    return world, TAIL


def slow_rare_route(draw: Draw) -> Made:
    """A route of few requests becomes slow as a whole."""
    world = some_service(draw, 25, 60, split=draw.evenly("the route's share", 0.02, 0.04))
    world.factor[:, 1, since(BEGIN)] = world.times_slower(1.5, place=1)
    return world, TAIL


def slow_replica(draw: Draw) -> Made:
    """One replica of ten answers slowly."""
    world = some_service(draw, 10, 40, instances=10)
    world.factor[0, :, since(BEGIN)] = world.times_slower(draw.by_size("it takes, s", 1, 5))
    return world, TAIL


def leak(draw: Draw) -> Made:
    """A leak: the share of slow requests grows for an hour or more."""
    world = some_service(draw, 10, 50)
    lasting = draw.evenly("minutes until it is full", 60, 90)
    full = draw.evenly("share of slow requests when full", 0.1, 0.25)
    world.slow_share += full * grown(BEGIN, BEGIN + lasting)
    world.slow[:] = draw.by_size("slow requests take, s", 1, 5)
    # Due from where 3 % are slow.
    return world, Incident(kind="tail", alerts=TAIL.alerts, full=BEGIN + lasting * 0.03 / full)


def slow_pool(draw: Draw) -> Made:
    """A pool that is too small: every fifth to second request waits for a connection."""
    world = some_service(draw)
    world.slow_share[..., since(BEGIN)] = draw.evenly("share of waiting requests", 0.2, 0.45)
    world.slow[:] = draw.by_size("waiting requests take, s", 1, 10)
    return world, TAIL


def slow_as_a_whole(draw: Draw) -> Made:
    """Every request becomes slow, and p99 keeps its ratio to p50."""
    world = some_service(draw)
    world.factor[..., since(BEGIN)] = world.times_slower(draw.by_size("median while slow, s", 1, 5))
    return world, TAIL


def slow_as_a_whole_by_night(draw: Draw) -> Made:
    """Every request of a quiet service becomes slow."""
    world = some_service(draw, 0.2, 1)
    world.factor[..., since(BEGIN)] = world.times_slower(draw.by_size("median while slow, s", 1, 5))
    return world, TAIL


def slow_as_a_whole_bimodal(draw: Draw) -> Made:
    """A service with slow requests by nature becomes slow as a whole."""
    share = draw.evenly("share of slow requests by nature", 0.02, 0.2)
    law = Law(
        median=draw.by_size("median latency, s", 0.02, 0.12),
        sigma=0.4,
        slow_share=share,
        slow=draw.by_size("slow ones take, s", 0.6, 2),
    )
    world = World(
        requests=draw.by_size("requests a second", 5, 50),
        routes=(Route(name="/search", share=1, law=law),),
    )
    world.factor[..., since(BEGIN)] = world.times_slower(draw.by_size("median while slow, s", 1, 5))
    return world, TAIL


def errors_just_above(draw: Draw) -> Made:
    """Errors just above the threshold."""
    return _failing(draw, draw.evenly("share of errors", 0.016, 0.022), 50, 150)


def errors(draw: Draw) -> Made:
    """A few of a hundred requests fail."""
    return _failing(draw, draw.evenly("share of errors", 0.03, 0.1), 5, 60)


def errors_first_ever(draw: Draw) -> Made:
    """The first errors of a service that never had one."""
    world, incident = _failing(draw, draw.evenly("share of errors", 0.03, 0.1), 5, 60)
    world.background = 0
    world.errors[..., during(0, BEGIN)] = 0
    return world, incident


def errors_of_one_route(draw: Draw) -> Made:
    """One route of several fails."""
    world = some_service(draw, split=draw.evenly("the route's share", 0.05, 0.3))
    world.errors[:, 1, since(BEGIN)] = draw.evenly("share of errors of the route", 0.6, 1)
    return world, ERRORS


def errors_of_few_requests(draw: Draw) -> Made:
    """A service with less than a hundred requests in five minutes fails."""
    return _failing(draw, draw.evenly("share of errors", 0.5, 0.8), 0.22, 0.32)


def errors_after_a_release(draw: Draw) -> Made:
    """A release restarts all instances, and the new version fails."""
    world = some_service(draw, 10, 50, instances=3)
    for instance in range(3):
        restart = BEGIN - 6 + 2 * instance
        world.restarts.append((instance, restart))
        world.errors[instance, :, since(restart)] = 0
    world.errors[..., since(BEGIN)] = draw.evenly("share of errors", 0.03, 0.3)
    return world, ERRORS


def errors_growing(draw: Draw) -> Made:
    """Errors grow slowly from none to some of a hundred."""
    world = some_service(draw, 20, 60)
    lasting = draw.evenly("minutes until they are full", 30, 90)
    full = draw.evenly("share of errors when full", 0.05, 0.2)
    world.errors += full * grown(BEGIN, BEGIN + lasting)
    # Due from where twice the threshold fails.
    return world, Incident(kind="errors", alerts=ERRORS.alerts, full=BEGIN + lasting * 0.02 / full)


def dead_replica_failing(draw: Draw) -> Made:
    """One dead replica of ten answers each request with an error."""
    world = some_service(draw, 10, 60, instances=10)
    world.errors[0, :, since(BEGIN)] = 1
    return world, ERRORS


def dead_replica_hanging(draw: Draw) -> Made:
    """One dead replica of ten lets each request run into its time-out."""
    world = some_service(draw, 10, 60, instances=10)
    world.errors[0, :, since(BEGIN)] = 1
    world.error_seconds = draw.evenly("time-out, s", 5, 30)
    world.error_status = "504"
    return world, ERRORS


def burst(draw: Draw) -> Made:
    """A burst of errors that ends before anybody could look."""
    world = some_service(draw)
    lasting = draw.evenly("minutes", 3, 6)
    world.errors[..., during(BEGIN, BEGIN + lasting)] = draw.evenly("share of errors", 0.2, 0.6)
    return world, ERRORS


def partial_outage(draw: Draw) -> Made:
    """Most requests fail."""
    return _failing(draw, draw.evenly("share of errors", 0.3, 0.9), 5, 60)[0], OUTAGE


def outage(draw: Draw) -> Made:
    """Every request fails."""
    return _failing(draw, 1, 1, 60)[0], OUTAGE


def outage_by_time_outs(draw: Draw) -> Made:
    """Every request runs into its time-out."""
    world, _ = _failing(draw, 1, 5, 60)
    world.error_seconds = draw.evenly("time-out, s", 2, 15)
    world.error_status = "504"
    return world, OUTAGE


def outage_of_a_new_service(draw: Draw) -> Made:
    """Every request of a service without a past fails."""
    world, _ = _failing(draw, 1, 5, 60)
    world.young = True
    return world, OUTAGE


def target_gone(draw: Draw) -> Made:
    """All instances stop answering, their scrapes too."""
    world = some_service(draw, instances=draw.whole("instances", 1, 4))
    _die(world, BEGIN)
    return world, OUTAGE


def target_vanished(draw: Draw) -> Made:
    """All targets vanish from service discovery."""
    world = some_service(draw, instances=draw.whole("instances", 1, 4))
    _die(world, BEGIN)
    world.up[:, since(BEGIN)] = np.nan
    return world, Incident(kind="errors", alerts=("TargetGone",))


def _failing(draw: Draw, share: float, low: float, high: float) -> Made:
    world = some_service(draw, low, high)
    world.errors[..., since(BEGIN)] = share
    return world, ERRORS


def _die(world: World, minute: float) -> None:
    world.seen[:, since(minute)] = False
    world.up[:, since(minute)] = 0
    world.rate[..., since(minute)] = 0
