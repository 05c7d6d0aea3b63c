"""Splits all cases into runs of promtool, one a core, and puts their results together."""

from __future__ import annotations

import os
import tempfile
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from alerts.backtest import past
from alerts.backtest.replay import drawn, replay
from instrumentation.contract.buckets import DENSE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from alerts.backtest.catalog import Scenario
    from alerts.backtest.kept import Kept
    from alerts.backtest.replay import Found

_SERIES_A_RUN: Final = 9000
_ROUTE_SERIES_A_RUN: Final = 3500
"""promtool refuses a query that holds more than 10,000 samples: one of each series that it reads,
or what is made of the routes' buckets, step by step."""
_COMPARED_SERIES_A_RUN: Final = 600
"""Three megabytes of memory each."""
_SECONDS_A_MINUTE: Final = 2e-3
_SECONDS_A_CASE: Final = 4e-4
_SECONDS_A_SERIES: Final = 2e-5
"""What evaluating a minute takes, about: itself, each case, and each series of the live part. The
time left is told from it."""

Cases = list[tuple["Scenario", int]]


@dataclass(frozen=True, slots=True)
class Run:
    """Cases that promtool replays together, with or without past weeks.

    Args:
        cases: scenarios with their seeds.
        weeks: whether past weeks are known.
        cost: seconds that it takes, about.
    """

    cases: Cases
    weeks: bool
    cost: float


@dataclass(frozen=True, slots=True)
class Size:
    """How much promtool has to hold of a case."""

    minutes: int
    series: int
    of_routes: int
    compared: int

    @classmethod
    def of(cls, scenario: Scenario, seed: int) -> Size:
        """Draw a case and measure it."""
        case, world = drawn(scenario, seed)
        buckets = len(world.routes) * (len(DENSE) + 1)
        # Each route answers with two statuses at most; two series are recorded of past weeks.
        return cls(
            minutes=case.minutes,
            series=world.instances * 2 * buckets,
            of_routes=buckets,
            compared=world.instances + 2,
        )


def split(cases: Cases, kept: Kept) -> list[Run]:
    """Split cases into runs of about the same length; those with weeks of past come first.

    What is known of cases already is not asked again.
    """
    sized = [(each, Size.of(*each)) for each in cases]
    sized.sort(key=lambda each: each[1].minutes, reverse=True)
    runs: list[Run] = []
    for weeks in (True, False):
        for autumn in (True, False):
            alike = [
                each
                for each in sized
                if each[0][0].autumn == autumn
                and (each[0][0].weeks if weeks else not each[0][0].past_only)
                and not kept.knows(*each[0], weeks=weeks)
            ]
            runs += _packed(alike, weeks=weeks)
    return runs


def perform(
    runs: list[Run], promtool: str, rules: Path, kept: Kept, done: Callable[[Run], None]
) -> None:
    """Replay all runs, as many at once as there are cores.

    Args:
        runs: what `split` returned.
        promtool: the program.
        rules: folder of the rule files.
        kept: is given what each run found.
        done: is told each run that is over.

    Raises:
        ReplayError: promtool failed.
    """

    def one(run: Run) -> Found:
        with tempfile.TemporaryDirectory(prefix="backtest-") as work:
            return replay(run.cases, Path(work), promtool, rules, weeks=run.weeks)

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        waiting = {pool.submit(one, run): run for run in runs}
        try:
            for each in as_completed(waiting):
                kept.keep(waiting[each], each.result())
                done(waiting[each])
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _packed(sized: list[tuple[tuple[Scenario, int], Size]], *, weeks: bool) -> Iterator[Run]:
    """Fill each run with as many cases as promtool takes."""
    pack: Cases = []
    sizes: list[Size] = []
    for case, size in sized:
        if pack and _full([*sizes, size], weeks=weeks):
            yield Run(pack, weeks, _cost(sizes, weeks=weeks))
            pack, sizes = [], []
        pack.append(case)
        sizes.append(size)
    if pack:
        yield Run(pack, weeks, _cost(sizes, weeks=weeks))


def _full(sizes: list[Size], *, weeks: bool) -> bool:
    if weeks:
        return sum(size.compared for size in sizes) > _COMPARED_SERIES_A_RUN
    return (
        sum(size.series for size in sizes) > _SERIES_A_RUN
        or sum(size.of_routes for size in sizes) > _ROUTE_SERIES_A_RUN
    )


def _cost(sizes: list[Size], *, weeks: bool) -> float:
    minutes = sizes[0].minutes
    series = sum(size.compared if weeks else size.series for size in sizes)
    # Each of the past weeks is as long as the live part.
    filled = 4 * minutes if weeks else minutes
    every = past.lead(weeks=weeks) + minutes
    return (
        _SECONDS_A_MINUTE * every
        + _SECONDS_A_CASE * len(sizes) * (filled if weeks else every)
        + _SECONDS_A_SERIES * series * filled
    )
