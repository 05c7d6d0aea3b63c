"""What a service would have exported in the last hours, simulated request by request."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from alerts.backtest.world import SLOT_SECONDS, SLOTS, SLOTS_A_MINUTE
from instrumentation.contract.buckets import DENSE
from instrumentation.contract.metrics import HTTP_SERVER_REQUEST_DURATION as DURATION
from instrumentation.contract.promql import bound

if TYPE_CHECKING:
    import numpy.typing as npt

    from alerts.backtest.world import Numbers, Route, World

    Counts = npt.NDArray[np.int64]

ENVIRONMENT: Final = "backtest"

_BOUNDS: Final = np.array(DENSE)
_LES: Final = (*(bound(each) for each in DENSE), "+Inf")
_BUCKETS: Final = len(DENSE) + 1


def series(
    job: str, world: World, random: np.random.Generator, *, counts_only: bool = False
) -> Iterator[tuple[str, str]]:
    """Yield every series of the live part, and its samples in promtool's notation.

    With counts only, no bucket is exported, for no rule about traffic or targets reads any, and
    scrapes are a minute apart: promtool keeps every sample of three weeks in memory, holes too.
    """
    step = SLOTS_A_MINUTE if counts_only else 1
    for instance in range(world.instances):
        identity = f'deployment_environment_name="{ENVIRONMENT}",instance="{instance}",job="{job}"'
        up = world.up[instance][::step]
        yield f"up{{{identity}}}", _samples(up, ~np.isnan(up))
        for place, route in enumerate(world.routes):
            ok, failed = _requests(world, instance, place, random)
            labels = f'{identity},http_route="{route.name}"'
            for status, counts in ((route.status, ok), (world.error_status, failed)):
                if counts.any():
                    yield from _histogram(
                        world,
                        instance,
                        f'{labels},http_response_status_code="{status}"',
                        counts,
                        counts_only=counts_only,
                    )


def _histogram(
    world: World, instance: int, labels: str, counts: Counts, *, counts_only: bool
) -> Iterator[tuple[str, str]]:
    totals = np.cumsum(np.cumsum(counts, axis=1), axis=0)
    for restarted, minute in world.restarts:
        if restarted == instance:
            slot = round(minute * SLOTS_A_MINUTE)
            totals[slot:] -= totals[slot - 1]
    # A scrape sees what ended in the slots before it. A series appears with its first request.
    totals = np.vstack([np.zeros_like(totals[:1]), totals[:-1]])
    seen = world.seen[instance] & (totals[:, -1] > 0)
    if counts_only:
        step = SLOTS_A_MINUTE
        yield f"{DURATION.name}_count{{{labels}}}", _samples(totals[::step, -1], seen[::step])
        return
    for place, le in enumerate(_LES):
        yield f'{DURATION.name}_bucket{{{labels},le="{le}"}}', _samples(totals[:, place], seen)
    yield f"{DURATION.name}_count{{{labels}}}", _samples(totals[:, -1], seen)


def _requests(
    world: World, instance: int, place: int, random: np.random.Generator
) -> tuple[Counts, Counts]:
    """Simulate each request; return those that were answered and those that failed.

    Both are counts by slot and bucket. A request is counted when it ends.
    """
    here = (instance, place)
    came = random.poisson(world.rate[here] * SLOT_SECONDS)
    slots = np.repeat(np.arange(SLOTS), came)
    arrival = (slots + random.random(slots.size)) * SLOT_SECONDS
    failed = random.random(slots.size) < world.errors[here][slots]
    took = _durations(world, here, slots, random)
    if world.error_seconds is not None:
        took[failed] = world.error_seconds
    for stall in world.stalls:
        if stall.instance == instance:
            begin = stall.minute * 60
            caught = (arrival >= begin) & (arrival < begin + stall.seconds)
            took[caught] += begin + stall.seconds - arrival[caught]
    ended = ((arrival + took) / SLOT_SECONDS).astype(np.int64)
    buckets = np.searchsorted(_BOUNDS, took)
    inside = ended < SLOTS
    return _counted(ended, buckets, inside & ~failed), _counted(ended, buckets, inside & failed)


def _durations(
    world: World, here: tuple[int, int], slots: Counts, random: np.random.Generator
) -> Numbers:
    law = world.routes[here[1]].law
    slow = random.random(slots.size) < world.slow_share[here][slots]
    medians = np.where(slow, world.slow[here][slots], law.median * world.factor[here][slots])
    return np.asarray(medians * np.exp(law.sigma * random.standard_normal(slots.size)))


def _counted(slots: Counts, buckets: Counts, chosen: npt.NDArray[Any]) -> Counts:
    places = slots[chosen] * _BUCKETS + buckets[chosen]
    return np.bincount(places, minlength=SLOTS * _BUCKETS).reshape(SLOTS, _BUCKETS)


def _samples(values: npt.NDArray[Any], seen: npt.NDArray[Any]) -> str:
    """Write values as promtool does, runs of equal ones and holes together."""
    numbers = np.where(seen, values, -1)
    ends = np.flatnonzero(np.diff(numbers)) + 1
    edges = [0, *ends.tolist(), numbers.size]
    parts = []
    for begin, end in pairwise(edges):
        value, length = numbers[begin], end - begin
        if value < 0:
            parts.append(f"_x{length}")
        elif length == 1:
            parts.append(f"{value:g}" if value < 1e5 else str(int(value)))
        else:
            parts.append(f"{int(value)}x{length - 1}")
    return " ".join(parts)


def judged(routes: tuple[Route, ...]) -> list[Route]:
    """Routes whose durations are judged."""
    return [route for route in routes if not route.status.startswith("4")]
