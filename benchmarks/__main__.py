"""Measure what observing costs, beside the peers, and compare it with what is promised.

    python -m benchmarks [--quick] [--rounds 10] [--requests 5000] [--only overhead,scrape]
                         [--write docs/performance.md]

Every variant runs in a process of its own, variants in turns, so that the machine's moods hit all
of them. Results go to var/bench.json, where a part that is run alone renews its own figures. Ends
with 1 and the figures where a promise is missed.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from typing import Final

from benchmarks import instructions, memory, overhead, page, results, scrape, served, soak
from benchmarks.children import BenchError
from benchmarks.overhead import Overhead
from benchmarks.results import Part
from benchmarks.targets import Target
from benchmarks.variants import VARIANTS
from commandline.arguments import file_to_write, whole
from commandline.errors import sentence
from commandline.files import demand_writable

_SCRAPES, _MEMORY_ROUNDS = 15, 3

Measure = Callable[[argparse.Namespace], tuple[list[Target], list[Overhead]]]


def main() -> int:
    """Run the parts that were asked for."""
    arguments = _arguments()
    targets: list[Target] = []
    try:
        demand_writable(results.FILE)
        if arguments.write:
            page.around(arguments.write)
        for name in arguments.only:
            load = results.load_average()
            _say(f"{name}, load average {load:.1f}:")
            kept, measured = PARTS[name](arguments)
            targets += kept
            for target in kept:
                _say(f"  {target.line()}")
            results.save(name, Part(_extent(name, arguments), load, kept, measured))
        if arguments.write:
            page.write(arguments.write, results.machine(), results.read())
    except (BenchError, OSError) as error:
        sys.stderr.write(f"bench: {sentence(error)}\n")
        return 2
    missed = [target for target in targets if not target.holds]
    _say(f"{len(targets) - len(missed)} of {len(targets)} promises kept, see {results.FILE}")
    for target in missed:
        _say(f"  {target.line()}")
    return 1 if missed else 0


def _overhead(arguments: argparse.Namespace) -> tuple[list[Target], list[Overhead]]:
    variants = [name for name in VARIANTS if name != "bare"]
    found = overhead.measure(variants, arguments.rounds, arguments.requests, _progress)
    if instructions.available() and not arguments.quick:
        found = overhead.count(found, _progress)
    _say(overhead.table(found))
    return overhead.targets(found), found


def _routers(arguments: argparse.Namespace) -> tuple[list[Target], list[Overhead]]:
    return overhead.routers(arguments.rounds, arguments.requests, _progress), []


def _scrape(arguments: argparse.Namespace) -> tuple[list[Target], list[Overhead]]:
    return scrape.measure(_few(arguments, _SCRAPES)), []


def _served(arguments: argparse.Namespace) -> tuple[list[Target], list[Overhead]]:
    return served.measure(arguments.rounds, arguments.seconds, _progress).targets(), []


def _memory(arguments: argparse.Namespace) -> tuple[list[Target], list[Overhead]]:
    return memory.measure(_few(arguments, _MEMORY_ROUNDS)), []


def _soak(arguments: argparse.Namespace) -> tuple[list[Target], list[Overhead]]:
    return soak.measure(arguments.minutes, _progress), []


PARTS: Final[dict[str, Measure]] = {
    "overhead": _overhead,
    "routers": _routers,
    "scrape": _scrape,
    "memory": _memory,
    "served": _served,
    "soak": _soak,
}
USUAL: Final = [name for name in PARTS if name != "soak"]
"""The soak takes half an hour, and has to be asked for."""


def _extent(name: str, arguments: argparse.Namespace) -> str:
    if name == "soak":
        return f"{arguments.minutes} minutes"
    if name == "served":
        return f"{arguments.rounds} rounds of {arguments.seconds} s"
    if name in ("overhead", "routers"):
        return f"{arguments.rounds} rounds of {arguments.requests} requests"
    if name == "scrape":
        return f"{_few(arguments, _SCRAPES)} scrapes"
    return f"{_few(arguments, _MEMORY_ROUNDS)} rounds"


def _few(arguments: argparse.Namespace, usual: int) -> int:
    return max(1, usual // 5) if arguments.quick else usual


def _progress(line: str) -> None:
    _say(f"  {line}")


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description=(__doc__ or "").partition("\n")[0]
    )
    parser.add_argument("--quick", action="store_true", help="few rounds: for a first look")
    parser.add_argument("--rounds", type=whole(), help="of every variant (10; quick: 2)")
    parser.add_argument("--requests", type=whole(), help="of each round (5000; quick: 1000)")
    parser.add_argument("--seconds", type=whole(), help="of load on uvicorn (5; quick: 1)")
    parser.add_argument("--minutes", type=whole(), help="of the soak (30; quick: 3)")
    parser.add_argument("--only", type=_parts, default=USUAL, help=", ".join(PARTS))
    parser.add_argument("--write", type=file_to_write, help="a page to put the figures into")
    arguments = parser.parse_args()
    usual = (2, 1000, 1, 3) if arguments.quick else (10, 5000, 5, 30)
    for name, value in zip(("rounds", "requests", "seconds", "minutes"), usual, strict=True):
        if getattr(arguments, name) is None:
            setattr(arguments, name, value)
    return arguments


def _parts(text: str) -> list[str]:
    wrong = [name for name in text.split(",") if name not in PARTS]
    if wrong:
        raise argparse.ArgumentTypeError(f"must be of {', '.join(PARTS)}, got {wrong[0]!r}")
    return text.split(",")


if __name__ == "__main__":
    sys.exit(main())
