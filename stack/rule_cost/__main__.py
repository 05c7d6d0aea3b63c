"""The command line: `python -m stack.rule_cost`."""

from __future__ import annotations

import argparse
import sys
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from commandline.arguments import folder, whole
from commandline.errors import sentence
from stack.console import say
from stack.environment import REPOSITORY
from stack.errors import StackError
from stack.rule_cost.measure import measure
from stack.signals import Stopped, stop_signals

if TYPE_CHECKING:
    from collections.abc import Sequence

    from stack.rule_cost.evaluations import Cost

SIZES: Final = (25_000, 100_000, 400_000)
LIMIT_SECONDS: Final = 3.0
RULES: Final = REPOSITORY / "alerts" / "generated"

BUSY: Final = 0.1
"""Where other programs had more of the processors than this, what passed is not the rules' time."""

_COLUMNS: Final = (
    "series in", "series out", "s a cycle", "busiest seen", "all at once", "CPU of all",
    "CPU a cycle, with storing", "others", "slowest group",
)  # fmt: skip


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure each size; the exit code is 1 where the largest exceeds the limit."""
    parser = argparse.ArgumentParser(prog="python -m stack.rule_cost", description=__doc__)
    parser.add_argument("--sizes", type=_sizes, default=SIZES, help="raw series, with commas")
    parser.add_argument("--rules", type=folder, default=RULES, help="folder of rule files")
    parser.add_argument(
        "--slowest", type=whole(0), default=0, help="print so many rules of each size"
    )
    parser.add_argument(
        "--concurrent", type=whole(0), default=0, help="evaluate so many rules of a group at once"
    )
    chosen = parser.parse_args(arguments)
    costs = []
    try:
        with stop_signals():
            for size in chosen.sizes:
                cost = measure(size, chosen.rules, chosen.concurrent)
                costs.append(cost)
                for name, seconds in cost.rules[: chosen.slowest]:
                    say(f"  {seconds:.3f} s {name}")
    except Stopped:
        return 130
    except (StackError, OSError) as error:
        sys.stderr.write(f"error: {sentence(error)}\n")
        return 1
    return _report(costs)


def _report(costs: Sequence[Cost]) -> int:
    say(f"| {' | '.join(_COLUMNS)} |")
    say("|---" * len(_COLUMNS) + "|")
    for cost in costs:
        group, seconds = cost.groups[0]
        say(
            f"| {cost.series:,} | {cost.recorded:,} | {cost.mean:.2f} | {cost.busiest:.2f} | "
            f"{cost.together:.2f} | {cost.cpu:.2f} | {cost.cycle_cpu:.2f} | {cost.others:.0%} | "
            f"{group}, {seconds:.2f} s |"
        )
    for before, after in pairwise(costs):
        more = (after.series - before.series) / 100_000
        say(
            f"slope from {before.series:,} to {after.series:,}, for each 100,000 series more: "
            f"{(after.mean - before.mean) / more:.2f} s a cycle; all groups at once "
            f"{(after.together - before.together) / more:.2f} s, "
            f"{(after.cpu - before.cpu) / more:.2f} s of processor time"
        )
    return _verdict(costs[-1])


def _verdict(cost: Cost) -> int:
    """Compare the worst cycle with the limit, in processor time where others had the processors."""
    worst, unit = max(cost.together, cost.busiest), "s"
    if worst > LIMIT_SECONDS and cost.others > BUSY:
        say(
            f"Other programs had {cost.others:.0%} of this machine's processors, so the time that "
            "passed tells more of them than of the rules: judged by processor time."
        )
        worst, unit = cost.cpu, "s of processor time"
    if worst > LIMIT_SECONDS:
        sys.stderr.write(f"rule-cost: {worst:.2f} {unit} a cycle, more than {LIMIT_SECONDS:g} s\n")
        return 1
    say(f"The worst cycle takes {worst:.2f} {unit}; {LIMIT_SECONDS:g} s are allowed.")
    return 0


def _sizes(text: str) -> tuple[int, ...]:
    return tuple(map(whole(), text.split(",")))


if __name__ == "__main__":
    sys.exit(main())
