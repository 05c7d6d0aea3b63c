"""Prove what the watchdog promises: every block found, nothing else, at next to no cost.

    python -m benchmarks.blocking [--blocks 300] [--healthy 600] [--starved 10] [--cost 20]

Ends with 1 and says what is missed where the promise does not hold.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from typing import Final, Protocol

from benchmarks.blocking import cost, find, quiet
from benchmarks.blocking.service import running
from commandline.arguments import whole

LOOPS: Final = ("asyncio", "uvloop")


class Result(Protocol):
    """Of any of the parts."""

    @property
    def good(self) -> bool:
        """Whether the promise holds."""

    def lines(self) -> list[str]:
        """The figures."""


def main() -> int:
    """Run everything; the number of broken promises is the exit code's reason."""
    arguments = _arguments()
    results = [_show(_find(loop, arguments.blocks)) for loop in LOOPS]
    for loop in LOOPS:
        with running(loop) as service:
            _say(f"{loop}: nothing blocks")
            each = arguments.healthy / len(LOOPS)
            results.append(_show(asyncio.run(quiet.healthy(service, each))))
            results.append(_show(asyncio.run(quiet.stopped(service))))
            results.append(_show(asyncio.run(quiet.starved(service, arguments.starved))))
    results.append(_show(cost.measure(arguments.cost)))
    broken = results.count(False)
    _say("every promise holds" if not broken else f"{broken} promises do not hold")
    return 1 if broken else 0


def _find(loop: str, blocks: int) -> Result:
    with running(loop) as service:
        _say(f"{loop}: {blocks} random blocks under load")
        asyncio.run(find.provoke(service, blocks))
        return find.compare(service.told())


def _show(result: Result) -> bool:
    for line in result.lines():
        _say(f"  {line}")
    return result.good


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.blocking", description=(__doc__ or "").partition("\n")[0]
    )
    parser.add_argument("--blocks", type=whole(), default=300, help="blocks on each loop")
    parser.add_argument("--healthy", type=whole(), default=600, help="seconds of healthy load")
    parser.add_argument("--starved", type=whole(), default=10, help="seconds without enough CPU")
    parser.add_argument("--cost", type=whole(), default=20, help="seconds to measure the cost in")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
