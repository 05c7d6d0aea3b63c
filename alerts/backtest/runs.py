"""Splits all cases into runs of promtool, two at once, and puts their results together."""

from __future__ import annotations

import tempfile
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from alerts.backtest.replay import drawn, replay
from instrumentation.contract.buckets import DENSE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from alerts.backtest.catalog import Scenario
    from alerts.backtest.replay import Firing

_SERIES_A_RUN: Final = 9000
_ROUTE_SERIES_A_RUN: Final = 1350
"""promtool refuses a query that holds more than 10,000 series: those that it reads, or those of the
routes' buckets, which the rule that adds two windows holds seven times."""
_COMPARED_A_RUN: Final = 600
"""Several megabytes each."""
_AT_ONCE: Final = 2

Cases = list[tuple["Scenario", int]]


@dataclass(frozen=True, slots=True)
class Run:
    """Cases that promtool replays together, with or without past weeks."""

    cases: Cases
    weeks: bool


def split(cases: Cases) -> list[Run]:
    """Split cases into runs; those with weeks of past, which take longest, come first."""
    runs = []
    for autumn in (True, False):
        compared = [each for each in cases if each[0].weeks and each[0].autumn == autumn]
        runs += [
            Run(compared[begin : begin + _COMPARED_A_RUN], weeks=True)
            for begin in range(0, len(compared), _COMPARED_A_RUN)
        ]
    for autumn in (True, False):
        alike = [each for each in cases if each[0].autumn == autumn and not each[0].past_only]
        runs += [Run(packed, weeks=False) for packed in _packed(alike)]
    return runs


def perform(
    runs: list[Run], promtool: str, rules: Path, done: Callable[[int], None]
) -> tuple[Firing, Firing]:
    """Replay all runs; return what paged and which naive formulas fired.

    Args:
        runs: what `split` returned.
        promtool: the program.
        rules: folder of the rule files.
        done: is told how many runs are over, after each.

    Raises:
        ReplayError: promtool failed.
    """

    def one(run: Run) -> tuple[Firing, Firing]:
        with tempfile.TemporaryDirectory(prefix="backtest-") as work:
            return replay(run.cases, Path(work), promtool, rules, weeks=run.weeks)

    results = []
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        waiting = [pool.submit(one, run) for run in runs]
        for nth, each in enumerate(as_completed(waiting), start=1):
            results.append(each.result())
            done(nth)
    return _first(pages for pages, _ in results), _first(naive for _, naive in results)


def _packed(cases: Cases) -> Iterator[Cases]:
    """Fill each run with as many cases as promtool takes."""
    pack: Cases = []
    held = of_routes = 0
    for scenario, seed in cases:
        _, world = drawn(scenario, seed)
        buckets = len(world.routes) * (len(DENSE) + 1)
        # Each route answers with two statuses at most.
        series = world.instances * 2 * buckets
        if pack and (held + series > _SERIES_A_RUN or of_routes + buckets > _ROUTE_SERIES_A_RUN):
            yield pack
            pack, held, of_routes = [], 0, 0
        pack.append((scenario, seed))
        held, of_routes = held + series, of_routes + buckets
    if pack:
        yield pack


def _first(found: Iterable[Firing]) -> Firing:
    """Take the earliest time of each alert of each job."""
    merged: Firing = defaultdict(dict)
    for firing in found:
        for job, alerts in firing.items():
            for alert, minute in alerts.items():
                merged[job][alert] = min(minute, merged[job].get(alert, minute))
    return merged
