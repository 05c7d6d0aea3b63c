"""Days on which nothing is wrong that anybody should be woken for. Nothing may page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from alerts.backtest.catalog import (
    BEGIN,
    some_bimodal_law,
    some_day,
    some_law,
    some_law_slow_at_p99,
    some_service,
)
from alerts.backtest.world import SLOTS, Law, Route, Stall, World, during, since

if TYPE_CHECKING:
    from alerts.backtest.draw import Draw


def quiet_day(draw: Draw) -> World:
    """A service on a day like any other."""
    return some_service(draw)


def night(draw: Draw) -> World:
    """Ten requests an hour."""
    return some_service(draw, 6 / 3600, 15 / 3600)


def night_with_an_error(draw: Draw) -> World:
    """Ten requests an hour, and one or two of them fail."""
    world = some_service(draw, 6 / 3600, 15 / 3600)
    world.errors[..., during(BEGIN, BEGIN + 5)] = 0.9
    return world


def low_and_noisy(draw: Draw) -> World:
    """Few requests that come in clumps, with the errors of any day."""
    world = some_service(draw, 0.02, 0.6)
    world.rate *= draw.random.gamma(0.5, 2, size=(1, 1, SLOTS))
    return world


def around_the_tail_s_floor(draw: Draw) -> World:
    """Hardly enough requests to tell p99, of a service whose tail is long by nature."""
    law = Law(
        median=draw.evenly("median latency, s", 0.08, 0.15),
        sigma=draw.evenly("sigma of the latency's logarithm", 0.5, 0.7),
    )
    return World(
        requests=draw.evenly("requests a second", 0.4, 1.5),
        routes=(Route(name="/reports", share=1, law=law),),
        background=0.0003,
    )


def bimodal_service(draw: Draw) -> World:
    """A service that has fast and slow requests by nature."""
    return _bimodal(draw, 1)


def bimodal_route(draw: Draw) -> World:
    """One route of several that has fast and slow requests by nature."""
    return _bimodal(draw, draw.evenly("the route's share", 0.05, 0.5))


def bimodal_at_p99(draw: Draw) -> World:
    """About one request in a hundred is slow by nature, so p99 is now slow and now fast."""
    law = some_law_slow_at_p99(draw)
    return World(
        requests=draw.by_size("requests a second", 0.6, 50),
        routes=(Route(name="/search", share=1, law=law),),
        day=some_day(draw),
    )


def new_bimodal_service(draw: Draw) -> World:
    """A service with fast and slow requests by nature, whose first day it is."""
    world = _bimodal(draw, 1)
    world.young = True
    return world


def export(draw: Draw) -> World:
    """An endpoint whose exports take seconds by nature."""
    law = some_law(draw)
    share = draw.evenly("the endpoint's share", 0.005, 0.05)
    slow = Law(median=draw.by_size("an export takes, s", 2, 20), sigma=0.4)
    return World(
        requests=draw.by_size("requests a second", 5, 50),
        routes=(
            Route(name="/orders", share=1 - share, law=law),
            Route(name="/export", share=share, law=slow),
        ),
        day=some_day(draw),
    )


def holiday_a_week_ago(draw: Draw) -> World:
    """A week ago was a holiday."""
    world = some_service(draw, 2, 60)
    world.holidays = (draw.evenly("traffic on the holiday", 0.1, 0.5), 1, 1)
    return world


def sale_a_week_ago(draw: Draw) -> World:
    """A week ago was a sale."""
    world = some_service(draw, 2, 60)
    world.holidays = (draw.evenly("traffic on the sale", 1.5, 4), 1, 1)
    return world


def sale_two_weeks_ago(draw: Draw) -> World:
    """Two weeks ago was a sale."""
    world = some_service(draw, 2, 60)
    world.holidays = (1, draw.evenly("traffic on the sale", 1.5, 4), 1)
    return world


def less_than_usual(draw: Draw) -> World:
    """A tenth of the requests stays away, as on a sunny day."""
    world = some_service(draw, 2, 60)
    world.rate[..., since(BEGIN)] *= 1 - draw.evenly("share of lost requests", 0.03, 0.1)
    return world


def clock_set_back(draw: Draw) -> World:
    """Clocks were set back: users come an hour later than in past weeks."""
    return _clock(draw, 60)


def clock_set_forward(draw: Draw) -> World:
    """Clocks were set forward: users come an hour earlier than in past weeks."""
    return _clock(draw, -60)


def scanner(draw: Draw) -> World:
    """A client scans for pages that don't exist, and is told so within a millisecond or two."""
    law = some_law(draw)
    flood = draw.by_size("times as many requests as usual", 0.5, 10)
    refused = Law(median=draw.by_size("refusing takes, s", 0.001, 0.003), sigma=0.4)
    world = World(
        requests=draw.by_size("requests a second", 5, 30) * (1 + flood),
        routes=(
            Route(name="/orders", share=1 / (1 + flood), law=law),
            Route(name="unmatched", share=flood / (1 + flood), law=refused, status="404"),
        ),
    )
    world.requests /= 1 + flood
    world.rate[:, 1, during(0, BEGIN)] = 0
    world.rate[:, 1, since(BEGIN + draw.evenly("minutes", 20, 60))] = 0
    return world


def passwords(draw: Draw) -> World:
    """A client tries passwords, and is refused at once."""
    law = some_law(draw)
    world = World(
        requests=draw.by_size("requests a second", 5, 30),
        routes=(
            Route(name="/orders", share=1, law=law),
            Route(name="/login", share=3, law=Law(median=0.002, sigma=0.3), status="401"),
        ),
    )
    world.rate[:, 1, during(0, BEGIN)] = 0
    world.rate[:, 1, since(BEGIN + 30)] = 0
    return world


def long_garbage_collection(draw: Draw) -> World:
    """One long garbage collection: an instance stands still for seconds."""
    world = some_service(draw, 5, 60, instances=draw.whole("instances", 1, 4))
    pause = draw.evenly("pause, s", 1, 4)
    world.stalls.append(Stall(instance=0, minute=BEGIN, seconds=pause))
    return world


def short_burst(draw: Draw) -> World:
    """A dozen errors within a few seconds, of many requests."""
    world = some_service(draw, 20, 60)
    world.errors[..., during(BEGIN, BEGIN + 0.25)] = draw.evenly("share of errors", 0.05, 0.15)
    return world


def errors_below(draw: Draw) -> World:
    """Errors well below the threshold, for an hour."""
    world = some_service(draw, 10, 60)
    world.errors[..., during(BEGIN, BEGIN + 60)] = draw.evenly("share of errors", 0.001, 0.003)
    return world


def _bimodal(draw: Draw, share: float) -> World:
    law = some_bimodal_law(draw)
    routes = [Route(name="/search", share=share, law=law)]
    if share < 1:
        routes.append(Route(name="/orders", share=1 - share, law=some_law(draw)))
    return World(
        requests=draw.by_size("requests a second", 2, 50),
        routes=tuple(routes),
        day=some_day(draw),
        background=0.0003,
    )


def _clock(draw: Draw, minutes: float) -> World:
    world = some_service(draw, 2, 60)
    weeks = draw.whole("weeks since the change", 0, 2)
    return World(
        requests=world.requests,
        routes=world.routes,
        day=world.day,
        background=world.background,
        clock=minutes,
        clock_weeks=weeks,
    )
