"""Faults too small or too short to wake anybody for. Nothing may page."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from alerts.backtest.catalog import BEGIN, some_bimodal_law, some_law, some_service
from alerts.backtest.world import Law, Route, World, during, since

if TYPE_CHECKING:
    from alerts.backtest.draw import Draw


def blip_of_errors(draw: Draw) -> World:
    """A minute in which two or three of a hundred requests fail."""
    world = some_service(draw, 30, 100)
    world.errors[..., during(BEGIN, BEGIN + 1)] = draw.evenly("share of errors", 0.02, 0.03)
    return world


def errors_just_below(draw: Draw) -> World:
    """Errors just below the threshold, for more than an hour, of very many requests."""
    world = some_service(draw, 60, 150)
    world.errors[..., since(BEGIN)] = draw.evenly("share of errors", 0.006, 0.0075)
    return world


def somewhat_slower(draw: Draw) -> World:
    """Every request takes 20 to 40 % longer than usual, and few more than the objective."""
    world = some_service(draw)
    world.factor[..., since(BEGIN)] = draw.evenly("times slower", 1.2, 1.4)
    return world


def slower_and_still_fast(draw: Draw) -> World:
    """A fast service becomes three times slower, and no user notices."""
    usual = some_service(draw)
    fast = Route(name="/prices", share=1, law=some_law(draw, 0.005, 0.02))
    world = replace(usual, routes=(fast,))
    world.factor[..., since(BEGIN)] = 3
    return world


def refused_after_a_release(draw: Draw) -> World:
    """A client's release is refused: many requests are answered with a 422, within milliseconds."""
    law, share = some_law(draw), draw.evenly("share of refused requests", 0.2, 0.8)
    refused = Law(median=0.004, sigma=0.4)
    world = World(
        requests=draw.by_size("requests a second", 5, 50),
        routes=(
            Route(name="/orders", share=1, law=law),
            Route(name="/orders/new", share=1, law=refused, status="422"),
        ),
    )
    world.rate[:, 0, since(BEGIN)] *= 1 - share
    world.rate[:, 1, since(BEGIN)] *= share
    world.rate[:, 1, during(0, BEGIN)] = 0
    return world


def night_with_slow_requests(draw: Draw) -> World:
    """Ten requests an hour, and one or two of them take half a minute."""
    world = some_service(draw, 6 / 3600, 15 / 3600)
    world.slow_share[..., during(BEGIN, BEGIN + 5)] = 0.9
    world.slow[:] = 30
    return world


def bimodal_by_night(draw: Draw) -> World:
    """Few requests of a service that has fast and slow ones by nature."""
    return World(
        requests=draw.by_size("requests a second", 0.01, 0.5),
        routes=(Route(name="/search", share=1, law=some_bimodal_law(draw)),),
        background=0.0003,
    )
