"""Restarts, releases and scaling: instances come and go, and nobody should be woken for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from alerts.backtest.catalog import BEGIN, crash_again_and_again, some_service
from alerts.backtest.world import LIVE_MINUTES, Stall, World, during, since

if TYPE_CHECKING:
    from alerts.backtest.draw import Draw


def deploy(draw: Draw) -> World:
    """A rolling restart: counters begin anew, and each process's first requests are slow."""
    instances = draw.whole("instances", 2, 6)
    world = some_service(draw, 10, 60, instances=instances)
    seconds = draw.evenly("first slow seconds", 0.2, 0.6)
    for instance in range(instances):
        minute = BEGIN + 1.5 * instance
        world.restarts.append((instance, minute))
        world.seen[instance, during(minute, minute + 0.5)] = False
        world.up[instance, during(minute, minute + 0.5)] = 0
        _move(world, instance, minute, minute + 0.5)
        world.stalls.append(Stall(instance=instance, minute=minute + 0.5, seconds=seconds))
    return world


def deploy_of_new_instances(draw: Draw) -> World:
    """A rollout: each instance is replaced by one with another name."""
    half = draw.whole("instances", 2, 5)
    world = some_service(draw, 10, 60, instances=2 * half)
    world.rate *= 2
    for instance in range(half):
        minute = BEGIN + 2 * instance
        _exists(world, instance, until=minute)
        _exists(world, half + instance, begin=minute)
    return world


def counters_reset(draw: Draw) -> World:
    """Every instance restarts in the same minute."""
    instances = draw.whole("instances", 1, 4)
    world = some_service(draw, 2, 60, instances=instances)
    world.restarts += [(instance, BEGIN) for instance in range(instances)]
    world.seen[:, during(BEGIN, BEGIN + 0.5)] = False
    world.rate[..., during(BEGIN, BEGIN + 0.5)] = 0
    return world


def restarts_again_and_again(draw: Draw) -> World:
    """A worker that is replaced every few minutes, as `max_requests` does."""
    world = some_service(draw, 2, 60)
    every = draw.whole("minutes between restarts", 4, 15)
    world.restarts += [(0, minute) for minute in range(every, LIVE_MINUTES, every)]
    return world


def scale_up(draw: Draw) -> World:
    """More instances share the same requests."""
    world = some_service(draw, 5, 60, instances=6)
    for instance in range(2, 6):
        _exists(world, instance, begin=BEGIN)
    world.rate[:2, :, during(0, BEGIN)] *= 3
    return world


def scale_down(draw: Draw) -> World:
    """Fewer instances share the same requests."""
    world = some_service(draw, 5, 60, instances=6)
    for instance in range(2, 6):
        _exists(world, instance, until=BEGIN)
    world.rate[:2, :, since(BEGIN)] *= 3
    return world


def replica_lost(draw: Draw) -> World:
    """One replica of ten dies, and the others take its requests."""
    world = some_service(draw, 10, 60, instances=10)
    world.rate[1:, :, since(BEGIN)] *= 10 / 9
    world.rate[0, :, since(BEGIN)] = 0
    world.seen[0, since(BEGIN)] = False
    world.up[0, since(BEGIN)] = 0
    return world


def hole(draw: Draw) -> World:
    """Scrapes fail for a minute."""
    world = some_service(draw, 2, 60)
    world.seen[:, during(BEGIN, BEGIN + 1)] = False
    world.up[:, during(BEGIN, BEGIN + 1)] = 0
    return world


def gap(draw: Draw) -> World:
    """Nothing is scraped for three minutes, not even that a target is down."""
    world = some_service(draw, 2, 60)
    world.seen[:, during(BEGIN, BEGIN + 3)] = False
    world.up[:, during(BEGIN, BEGIN + 3)] = np.nan
    return world


def crash_loop_of_one_replica(draw: Draw) -> World:
    """One replica of several crashes again and again, and the others take its requests."""
    instances = draw.whole("instances", 3, 8)
    world = some_service(draw, 10, 60, instances=instances)
    _move(world, 0, BEGIN, LIVE_MINUTES)
    crash_again_and_again(draw, world, times=15)
    return world


def cold_caches(draw: Draw) -> World:
    """A rolling restart: each process takes twice as long until its caches are warm."""
    instances = draw.whole("instances", 2, 6)
    world = some_service(draw, 10, 60, instances=instances)
    lasting = draw.evenly("minutes until caches are warm", 1, 3)
    for instance in range(instances):
        minute = BEGIN + 2 * instance
        world.restarts.append((instance, minute))
        world.factor[instance, :, during(minute, minute + lasting)] = 2
    return world


def new_route(draw: Draw) -> World:
    """A release with a new route, which takes a part of the requests."""
    world = some_service(draw, 5, 60, split=draw.evenly("the route's share", 0.1, 0.5))
    share = world.routes[0].share
    world.rate[:, 0, during(0, BEGIN)] /= share
    world.rate[:, 1, during(0, BEGIN)] = 0
    world.restarts.append((0, BEGIN))
    return world


def _exists(world: World, instance: int, begin: float = 0, until: float = LIVE_MINUTES) -> None:
    """Let an instance live from one minute until another only."""
    for missing in (during(0, begin), since(until)):
        world.seen[instance, missing] = False
        world.up[instance, missing] = np.nan
        world.rate[instance, :, missing] = 0


def _move(world: World, instance: int, begin: float, until: float) -> None:
    """Let the other instances answer for one that is away."""
    away = during(begin, until)
    others = [each for each in range(world.instances) if each != instance]
    world.rate[others, :, away] *= world.instances / len(others)
    world.rate[instance, :, away] = 0
