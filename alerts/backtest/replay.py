"""Gives services to promtool, which evaluates the committed rules in simulated time."""

from __future__ import annotations

import json
import math
import re
import subprocess
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING, Any, Final, TextIO

import numpy as np
import yaml

from alerts.backtest import counters, past
from alerts.backtest.catalog import HARMLESS_MINUTES, STEP_MINUTES
from alerts.backtest.draw import Draw
from alerts.backtest.world import SLOTS_A_MINUTE
from alerts.generate import GENERATED

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from alerts.backtest.catalog import Incident, Scenario
    from alerts.backtest.draw import Range
    from alerts.backtest.world import World

PAGES: Final = "critical"
NAIVE: Final = "info"
RULES: Final = {
    False: ("errors", "tail", "objectives", "traffic", "targets", "naive"),
    # Three weeks of minutes: only what compares with past weeks, and what that reads.
    True: ("errors", "traffic", "naive"),
}
"""Rule files in the order of their evaluation, for a recording is read by the rules after it."""

_SUMMER: Final = datetime(2025, 6, 3, tzinfo=UTC)
_AUTUMN: Final = datetime(2025, 10, 14, tzinfo=UTC)
"""Three weeks later it is November, a month in which past weeks may lie before a clock change."""

_FIRST: Final = (
    "min by (severity, alertname, job) (min_over_time(timestamp("
    f'ALERTS{{alertstate="firing", severity=~"{PAGES}|{NAIVE}"}})[{STEP_MINUTES}m:1m]))'
)
"""Asked of each ten minutes: promtool refuses a query that holds more than 10,000 samples."""
_GOT: Final = re.compile(r'\{alertname="(\w+)", job="([\w:]+)", severity="(\w+)"\} ([-+.\dE]+)')

Firing = dict[str, dict[str, float]]
"""Minutes of the live part at which each alert fired first, by job and alert."""
Found = tuple[Firing, Firing]
"""What paged, and which naive formulas fired."""


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

    @property
    def minutes(self) -> int:
        """How long its live part is."""
        return self.incident.minutes if self.incident else HARMLESS_MINUTES


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
) -> Found:
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
    chosen = [drawn(*each) for each in wanted]
    start = (_AUTUMN if chosen[0][0].scenario.autumn else _SUMMER).timestamp()
    lead, slots = past.lead(weeks=weeks), 1 if weeks else SLOTS_A_MINUTE
    minutes = max(case.minutes for case, _ in chosen)
    path = work / "backtest.yml"
    with path.open("w", encoding="utf-8") as out:
        groups = [each for name in RULES[weeks] for each in _groups(rules / f"{name}.yml")]
        (work / "rules.yml").write_text(json.dumps({"groups": groups}), encoding="utf-8")
        order = ", ".join(group["name"] for group in groups)
        out.write("rule_files: [rules.yml]\nevaluation_interval: 1m\n")
        out.write(f"group_eval_order: [{order}]\ntests:\n")
        out.write(f"- interval: {60 // slots}s\n  start_timestamp: {start:.0f}\n")
        # Before its start nothing is missing, so nothing is recorded as zero beside the given past.
        out.write("  input_series:\n  - series: 'process_start_time_seconds{job=\"prometheus\"}'\n")
        out.write(f"    values: {start + 60 * lead:.0f}x{(lead + minutes) * slots - 1}\n")
        for case, world in chosen:
            _write(case, world, minutes, out, weeks=weeks)
        out.write("  promql_expr_test:\n")
        for asked in range(STEP_MINUTES, minutes + 1, STEP_MINUTES):
            # promtool prints what it got only where that isn't what was expected.
            out.write(f"  - expr: '{_FIRST}'\n    eval_time: {lead + asked - 1}m\n")
            out.write("    exp_samples: []\n")
    done = subprocess.run(  # noqa: S603 - the program that the caller named
        [promtool, "test", "rules", path], capture_output=True, text=True, check=False
    )
    output = done.stdout + done.stderr
    if "err:" in output or ("FAILED" not in output and done.returncode):
        raise ReplayError(f"promtool: {output[-2000:]}")
    return _first(output, start + 60 * lead)


@cache
def _groups(file: Path) -> list[dict[str, Any]]:
    """Read a file's groups, without the messages: to write these takes a sixth of all time."""
    groups: list[dict[str, Any]] = yaml.safe_load(file.read_text(encoding="utf-8"))["groups"]
    for group in groups:
        for rule in group["rules"]:
            rule.pop("annotations", None)
    return groups


def _write(case: Case, world: World, minutes: int, out: TextIO, *, weeks: bool) -> None:
    gap = f"_x{past.lead(weeks=weeks) * (1 if weeks else SLOTS_A_MINUTE)}"
    # The live part is the same with and without past weeks.
    seeds = ([case.seed, len(case.scenario.name), nth] for nth in (0, 1))
    before, live = (np.random.default_rng(seed) for seed in seeds)
    for name, samples in past.series(case.job, world, before, weeks=weeks):
        out.write(f"  - series: '{name}'\n    values: {samples}\n")
    exported = counters.totals if weeks else counters.series
    for name, samples in exported(case.job, world, live, minutes):
        out.write(f"  - series: '{name}'\n    values: {gap} {samples}\n")


def _first(output: str, live: float) -> Found:
    """Read what promtool got for each of the questions; nothing is what it expected."""
    pages: Firing = {}
    naive: Firing = {}
    for alert, job, severity, at in _GOT.findall(output):
        found = (pages if severity == PAGES else naive).setdefault(job, {})
        found[alert] = min((float(at) - live) / 60, found.get(alert, math.inf))
    return pages, naive
