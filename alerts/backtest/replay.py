"""Gives services to promtool, which evaluates the committed rules in simulated time."""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, TextIO

import numpy as np

from alerts.backtest import counters, past
from alerts.backtest.draw import Draw
from alerts.backtest.world import LIVE_MINUTES, SLOTS_A_MINUTE
from alerts.generate import GENERATED

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from alerts.backtest.catalog import Incident, Scenario
    from alerts.backtest.draw import Range
    from alerts.backtest.world import World

SEVERITIES: Final = ("critical", "info")
"""Pages, and the naive formulas."""
RULES: Final = {
    False: ("errors", "tail", "objectives", "traffic", "targets", "naive"),
    # Three weeks of minutes: only what compares with past weeks, and what that reads.
    True: ("errors", "traffic", "targets", "naive"),
}
ORDER: Final = ("errors", "tail-usual", "tail", "objectives", "traffic", "targets", "naive")
"""Of the groups, for a recording is read by the rules after it."""

_SUMMER: Final = datetime(2025, 6, 3, tzinfo=UTC)
_AUTUMN: Final = datetime(2025, 10, 14, tzinfo=UTC)
"""Three weeks later it is November, a month in which past weeks may lie before a clock change."""

_FIRST: Final = (
    "min by (alertname, job) (min_over_time(timestamp("
    'ALERTS{{alertstate="firing", severity="{severity}"}})[{minutes}m:1m]))'
)
_GOT: Final = re.compile(r'\{alertname="(\w+)", job="([\w:]+)"\} ([-+.\dE]+)')

Firing = dict[str, dict[str, float]]
"""Minutes of the live part at which each alert fired first, by job and alert."""


class ReplayError(Exception):
    """promtool could not evaluate the rules."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Case:
    """One scenario with one seed.

    Args:
        scenario: what was drawn from.
        seed: what it was drawn with.
        incident: what must page, if anything.
        ranges: from which its parameters were drawn.
    """

    scenario: Scenario
    seed: int
    incident: Incident | None
    ranges: Mapping[str, Range]

    @property
    def job(self) -> str:
        """The service's name."""
        return f"{self.scenario.name}:{self.seed}"


def drawn(scenario: Scenario, seed: int) -> tuple[Case, World]:
    """Draw a scenario's parameters."""
    draw = Draw(scenario.name, seed)
    world, incident = scenario.make(draw)
    return Case(scenario=scenario, seed=seed, incident=incident, ranges=draw.ranges), world


def replay(
    wanted: Iterable[tuple[Scenario, int]],
    work: Path,
    promtool: str,
    rules: Path = GENERATED,
    *,
    weeks: bool,
) -> tuple[Firing, Firing]:
    """Replay scenarios together, each as a service of its own.

    Args:
        wanted: scenarios with their seeds, all of the same season.
        work: an empty folder.
        promtool: the program.
        rules: folder of the rule files.
        weeks: whether past weeks are known, and traffic is judged; all else without.

    Returns:
        What paged, and which naive formulas fired.

    Raises:
        ReplayError: promtool failed.
    """
    chosen = list(wanted)
    start = (_AUTUMN if chosen[0][0].autumn else _SUMMER).timestamp()
    lead, slots = past.lead(weeks=weeks), 1 if weeks else SLOTS_A_MINUTE
    path = work / "backtest.yml"
    with path.open("w", encoding="utf-8") as out:
        names = ", ".join(f"{rules / name}.yml" for name in RULES[weeks])
        out.write(f"rule_files: [{names}]\nevaluation_interval: 1m\n")
        out.write(f"group_eval_order: [{', '.join(ORDER)}]\ntests:\n- interval: {60 // slots}s\n")
        out.write(f"  start_timestamp: {start:.0f}\n  input_series:\n")
        # Before its start nothing is missing, so nothing is recorded as zero beside the given past.
        length = (lead + LIVE_MINUTES) * slots - 1
        out.write("  - series: 'process_start_time_seconds{job=\"prometheus\"}'\n")
        out.write(f"    values: {start + 60 * lead:.0f}x{length}\n")
        for scenario, seed in chosen:
            _write(scenario, seed, out, weeks=weeks)
        out.write("  promql_expr_test:\n")
        for severity in SEVERITIES:
            asked = _FIRST.format(severity=severity, minutes=LIVE_MINUTES)
            # promtool prints what it got only where that isn't what was expected.
            out.write(f"  - expr: '{asked}'\n    eval_time: {lead + LIVE_MINUTES - 1}m\n")
            out.write("    exp_samples: []\n")
    done = subprocess.run(  # noqa: S603 - the program that the caller named
        [promtool, "test", "rules", path], capture_output=True, text=True, check=False
    )
    output = done.stdout + done.stderr
    if "err:" in output or ("FAILED" not in output and done.returncode):
        raise ReplayError(f"promtool: {output[-2000:]}")
    return _first(output, start + 60 * lead)


def _write(scenario: Scenario, seed: int, out: TextIO, *, weeks: bool) -> None:
    case, world = drawn(scenario, seed)
    gap = f"_x{past.lead(weeks=weeks) * (1 if weeks else SLOTS_A_MINUTE)}"
    # The live part is the same with and without past weeks.
    before, live = (np.random.default_rng([seed, len(scenario.name), nth]) for nth in (0, 1))
    for name, samples in past.series(case.job, world, before, weeks=weeks):
        out.write(f"  - series: '{name}'\n    values: {samples}\n")
    for name, samples in counters.series(case.job, world, live, counts_only=weeks):
        out.write(f"  - series: '{name}'\n    values: {gap} {samples}\n")


def _first(output: str, live: float) -> tuple[Firing, Firing]:
    """Read what promtool got for each of the two questions; nothing is what it expected."""
    found = []
    for severity in SEVERITIES:
        firing: Firing = {}
        question = output.partition(f'severity=\\"{severity}\\"')[2]
        answer = question.partition("got:")[2].partition("\n")[0] if question else ""
        for alert, job, at in _GOT.findall(answer):
            firing.setdefault(job, {})[alert] = (float(at) - live) / 60
        found.append(firing)
    pages, naive = found
    return pages, naive
