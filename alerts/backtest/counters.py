"""What a service would have exported in the last hours, simulated request by request."""

from __future__ import annotations

from collections.abc import Iterator
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
    Seen = npt.NDArray[np.bool_]

ENVIRONMENT: Final = "backtest"

_BOUNDS: Final = np.array(DENSE)
_LES: Final = (*(bound(each) for each in DENSE), "+Inf")
_BUCKETS: Final = len(DENSE) + 1


def series(
    job: str, world: World, random: np.random.Generator, minutes: int
) -> Iterator[tuple[str, str]]:
    """Yield every series of the live part, and its samples in promtool's notation.

    Args:
        job: the service's name.
        world: the service.
        random: draws each request.
        minutes: for how long.
    """
    slots = minutes * SLOTS_A_MINUTE
    for instance in range(world.instances):
        identity = _identity(job, instance)
        up = world.up[instance]
        yield f"up{{{identity}}}", _samples(up[:slots], ~np.isnan(up[:slots]))
        for place, route in enumerate(world.routes):
            ok, failed = _requests(world, instance, place, random)
            labels = f'{identity},http_route="{route.name}"'
            for status, counts in ((route.status, ok), (world.error_status, failed)):
                if counts.any():
                    named = f'{labels},http_response_status_code="{status}"'
                    yield from _histogram(world, instance, named, counts[:slots])


def totals(
    job: str, world: World, random: np.random.Generator, minutes: int
) -> Iterator[tuple[str, str]]:
    """Yield what `series` does as far as traffic is concerned: one counter an instance.

    Scrapes are a minute apart: promtool keeps every sample of three weeks in memory, holes too.
    """
    for instance in range(world.instances):
        counts = sum(
            counts.sum(axis=1)
            for place in range(len(world.routes))
            for counts in _requests(world, instance, place, random)
        )
        exported, seen = _exported(world, instance, np.asarray(counts)[:, None])
        end = minutes * SLOTS_A_MINUTE
        yield (
            f'{DURATION.name}_count{{{_identity(job, instance)},http_route="/",'
            'http_response_status_code="200"}',
            _samples(exported[:end:SLOTS_A_MINUTE, 0], seen[:end:SLOTS_A_MINUTE]),
        )


def _identity(job: str, instance: int) -> str:
    return f'deployment_environment_name="{ENVIRONMENT}",instance="{instance}",job="{job}"'


def _histogram(
    world: World, instance: int, labels: str, counts: Counts
) -> Iterator[tuple[str, str]]:
    exported, seen = _exported(world, instance, np.cumsum(counts, axis=1))
    text = ""
    for place, le in enumerate(_LES):
        # Most buckets are outside of what a service takes, and equal to their neighbour.
        if not text or counts[:, place].any():
            text = _samples(exported[:, place], seen)
        yield f'{DURATION.name}_bucket{{{labels},le="{le}"}}', text
    yield f"{DURATION.name}_count{{{labels}}}", text


def _exported(world: World, instance: int, counts: Counts) -> tuple[Counts, Seen]:
    """Add counts by slot up from restart to restart; return them and when they are scraped."""
    exported = np.cumsum(counts, axis=0)
    for restarted, minute in world.restarts:
        slot = round(minute * SLOTS_A_MINUTE)
        if restarted == instance and slot < len(exported):
            exported[slot:] -= exported[slot - 1]
    # A scrape sees what ended in the slots before it. A series appears with its first request.
    exported = np.vstack([np.zeros_like(exported[:1]), exported[:-1]])
    return exported, world.seen[instance, : len(exported)] & (exported[:, -1] > 0)


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


def _samples(values: npt.NDArray[Any], seen: Seen) -> str:
    """Write whole numbers as promtool does, runs of equal ones and holes together."""
    numbers = np.where(seen, values, -1).astype(np.int64)
    begins = np.concatenate([[0], np.flatnonzero(np.diff(numbers)) + 1])
    lengths = np.diff(begins, append=numbers.size)
    return " ".join(
        (f"{value}x{length - 1}" if length > 1 else str(value)) if value >= 0 else f"_x{length}"
        for value, length in zip(numbers[begins].tolist(), lengths.tolist(), strict=True)
    )


def judged(routes: tuple[Route, ...]) -> list[Route]:
    """Routes whose durations are judged."""
    return [route for route in routes if not route.status.startswith("4")]
