"""`python -m alerts.backtest`: replay incidents and harmless days through the real rules."""

from __future__ import annotations

import argparse
import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

from alerts.backtest.kept import Kept
from alerts.backtest.replay import ReplayError, drawn
from alerts.backtest.report import around, page, table
from alerts.backtest.runs import Run, perform, split
from alerts.backtest.scenarios import SCENARIOS
from alerts.backtest.verdict import Pair, verdicts
from alerts.generate import GENERATED
from commandline.arguments import file_to_write, folder, whole
from commandline.errors import sentence

if TYPE_CHECKING:
    from collections.abc import Callable


_AFTERWARDS: Final = frozenset({"__main__", "report", "verdict"})
"""Modules that judge what was found: a change of theirs does not make it stale."""


def main(arguments: list[str] | None = None) -> int:
    """Run the command; the result is the exit code: 1 where a page is missing or false."""
    options = _parser().parse_args(arguments)
    seeds = range(options.first_seed, options.first_seed + options.seeds)
    chosen = [each for each in SCENARIOS if not options.scenarios or each.name in options.scenarios]
    cases = [(scenario, seed) for seed in seeds for scenario in chosen]
    code = (path for path in Path(__file__).parent.glob("*.py") if path.stem not in _AFTERWARDS)
    sources = (*options.rules.glob("*.yml"), *code)
    try:
        kept = Kept(options.keep, sources)
        if options.write:
            around(options.write.read_text())  # hours before the tables are there
    except (ValueError, OSError) as error:
        _say(sentence(error))
        return 2
    runs, begin = split(cases, kept), time.monotonic()
    _say(f"{len(chosen)} scenarios with {len(seeds)} seeds, in {len(runs)} runs of promtool")

    try:
        perform(runs, options.promtool, options.rules, kept, _progress(runs, begin))
    except (ReplayError, OSError) as error:
        _say(sentence(error))
        return 2
    judged = list(verdicts((drawn(*case)[0] for case in cases), *kept.found()))
    return _report(judged, options, time.monotonic() - begin)


def _progress(runs: list[Run], begin: float) -> Callable[[Run], None]:
    """Return what is told each run that is over, and says how far all are."""
    over: list[Run] = []

    def progress(run: Run) -> None:
        over.append(run)
        passed = time.monotonic() - begin
        share = sum(each.cost for each in over) / sum(each.cost for each in runs)
        left = passed / share - passed
        _say(
            f"{len(over)} of {len(runs)} runs after {passed:.0f} s"
            + (f", about {left:.0f} s left" if len(over) < len(runs) else "")
        )

    return progress


def _report(judged: list[Pair], options: argparse.Namespace, seconds: float) -> int:
    sys.stdout.write(table(judged))
    wrong = [ours for ours, _ in judged if ours.fault]
    for verdict in wrong:
        _say(verdict.name)
    spent = sum(os.times()[:4])
    _say(
        f"{len(judged)} cases in {seconds:.0f} s ({spent:.0f} s of processor time), "
        f"{len(wrong)} wrong"
    )
    if options.write:
        options.write.write_text(page(judged, options.write.read_text()), encoding="utf-8")
    return 1 if wrong else 0


def _say(text: str) -> None:
    sys.stderr.write(f"backtest: {text}\n")
    sys.stderr.flush()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m alerts.backtest", description=__doc__)
    parser.add_argument("--promtool", default="promtool", help="the program, or its path")
    parser.add_argument("--seeds", type=whole(), default=20, help="how many")
    parser.add_argument("--first-seed", type=whole(least=0), default=1, metavar="SEED")
    parser.add_argument(
        "--scenarios", type=_names, default=(), help="some of them, with commas; all without"
    )
    parser.add_argument("--rules", type=folder, default=GENERATED, help="folder of the rule files")
    parser.add_argument(
        "--keep", type=file_to_write, metavar="FILE", help="go on from there after an interruption"
    )
    parser.add_argument("--write", type=file_to_write, help="page whose tables are written anew")
    return parser


def _names(text: str) -> tuple[str, ...]:
    names = tuple(text.split(","))
    known = {scenario.name for scenario in SCENARIOS}
    for name in names:
        if name not in known:
            raise argparse.ArgumentTypeError(
                f"{name!r} is no scenario; there are {', '.join(sorted(known))}"
            )
    return names


if __name__ == "__main__":
    sys.exit(main())
