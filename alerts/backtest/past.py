"""What the rules would have recorded of a service's past: the weeks before, and the last hours."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from statistics import NormalDist
from typing import TYPE_CHECKING, Final

import numpy as np

from alerts.backtest.counters import ENVIRONMENT, judged
from alerts.backtest.world import LIVE_MINUTES, SLOTS_A_MINUTE, WEEK_MINUTES
from instrumentation.contract import recorded as r
from instrumentation.contract import slo
from instrumentation.contract.buckets import DENSE

if TYPE_CHECKING:
    from alerts.backtest.world import Law, Numbers, Route, World

STEP_MINUTES: Final = 5
"""Prometheus looks back so far for a sample, so none is missed."""
_BEFORE, _AFTER = 80, LIVE_MINUTES + 80
_LAST_MINUTES: Final = 7 * 60
"""Six hours of objectives, and an hour that is not yet what is usual."""
_WEEKLY_NOISE: Final = 0.02
_COMPARED: Final = (r.REQUESTS_5M, r.REQUESTS_30M)
_FAST: Final = DENSE.index(slo.LATENCY_OBJECTIVE_SECONDS) + 1

Values = dict[r.Recorded, "Numbers"]


def lead(*, weeks: bool) -> int:
    """Return how many minutes pass before the live part: three weeks, or some hours."""
    # The guard against clock changes looks an hour further back.
    return 3 * WEEK_MINUTES + 90 if weeks else _LAST_MINUTES + STEP_MINUTES


def series(
    job: str, world: World, random: np.random.Generator, *, weeks: bool
) -> Iterator[tuple[str, str]]:
    """Yield every recorded series of the past, and its samples in promtool's notation.

    Each week's traffic differs from the others by 2 % (a standard deviation), besides chance.
    """
    if world.young:
        return
    stretches: list[tuple[int, Values]] = []
    shares = _bucket_shares(world.routes)
    for weeks_ago in range(world.weeks if weeks else 0, 0, -1):
        minutes = np.arange(-_BEFORE, _AFTER, STEP_MINUTES, dtype=float)
        level = 1 + _WEEKLY_NOISE * random.standard_normal()
        flow = _flow(world, minutes, weeks_ago, level)
        start = lead(weeks=weeks) - weeks_ago * WEEK_MINUTES - _BEFORE
        stretches.append((start, _recorded(flow, shares, world.background, random)))
    minutes = np.arange(-_LAST_MINUTES, 0, STEP_MINUTES, dtype=float)
    last = _recorded(_flow(world, minutes), shares, world.background, random)
    stretches.append((lead(weeks=weeks) - _LAST_MINUTES, last))
    labels = f'deployment_environment_name="{ENVIRONMENT}",job="{job}"'
    for quantity in last:
        if not weeks or quantity in _COMPARED:
            texts = [(start, values[quantity]) for start, values in stretches]
            slots = 1 if weeks else SLOTS_A_MINUTE
            yield f"{quantity.at(r.SERVICE)}{{{labels}}}", _samples(texts, slots)


def _flow(
    world: World, minutes: Numbers, weeks_ago: int = 0, level: float = 1
) -> Callable[[int], Numbers]:
    """Return what tells how many requests are expected in the windows that end at these minutes."""

    def expected(window: int) -> Numbers:
        every = np.arange(window // 60) + 0.5
        flow = world.expected(minutes[:, None] - every, weeks_ago) * level
        return np.asarray(np.maximum(flow, 0).mean(axis=1) * window)

    return expected


def _recorded(
    expected: Callable[[int], Numbers],
    shares: Numbers,
    background: float,
    random: np.random.Generator,
) -> Values:
    """Draw what was counted in each window; neighbouring windows are independent."""
    values: Values = {}
    windows = ((300, r.REQUESTS_5M, r.ERRORS_5M), (3600, r.REQUESTS_1H, r.ERRORS_1H))
    for window, requests, errors in windows:
        values[requests] = random.poisson(expected(window)) / window
        values[errors] = random.poisson(expected(window) * background) / window
    values[r.REQUESTS_30M] = random.poisson(expected(1800)) / 1800
    slow = float(shares[_FAST:].sum())
    values[r.TIMED_5M] = values[r.REQUESTS_5M]
    values[r.SLOW_5M] = random.poisson(expected(300) * slow) / 300
    counts = random.multinomial(random.poisson(expected(600)), shares).astype(float)
    tails = _quantiles(0.99, counts) / _quantiles(0.5, counts)
    enough = counts.sum(axis=1) >= slo.DEFAULTS.tail.min_requests
    values[r.TAIL_10M] = np.where(enough, tails, np.nan)
    return values


def _bucket_shares(routes: tuple[Route, ...]) -> Numbers:
    """Share of the judged requests in each bucket, on a day like any other."""
    timed = judged(routes)
    whole = sum(route.share for route in timed)
    below = sum((route.share / whole * _distribution(route.law) for route in timed), np.zeros(1))
    return np.diff([0, *below, 1])


def _distribution(law: Law) -> Numbers:
    def at_most(median: float) -> Numbers:
        normal = NormalDist(np.log(median), law.sigma)
        return np.array([normal.cdf(np.log(limit)) for limit in DENSE])

    return (1 - law.slow_share) * at_most(law.median) + law.slow_share * at_most(law.slow)


def _quantiles(q: float, counts: Numbers) -> Numbers:
    """Estimate a quantile of each row as PromQL's `histogram_quantile` does; NaN of nothing."""
    totals = np.cumsum(counts, axis=1)
    ranks = q * totals[:, -1]
    places = np.minimum((totals < ranks[:, None]).sum(axis=1), len(DENSE) - 1)
    rows = np.arange(len(counts))
    bounds = np.array([0, *DENSE])
    below = np.where(places, totals[rows, places - 1], 0)
    with np.errstate(invalid="ignore", divide="ignore"):
        inside = (ranks - below) / counts[rows, places]
    return np.asarray(
        bounds[places] + (bounds[places + 1] - bounds[places]) * np.minimum(inside, 1)
    )


def _samples(stretches: list[tuple[int, Numbers]], slots: int) -> str:
    """Write stretches of values, each with its first minute; what lies between is missing."""
    parts, at = [], 0
    for start, values in stretches:
        first = start * slots
        for nth, value in enumerate(values):
            if np.isnan(value):
                continue
            slot = first + nth * STEP_MINUTES * slots
            if slot > at:
                parts.append(f"_x{slot - at}")
            parts.append(f"{value:.6g}")
            at = slot + 1
    return " ".join(parts) or "_"
