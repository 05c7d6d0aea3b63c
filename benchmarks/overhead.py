"""CPU a request over the bare application, variant by variant, in interleaved rounds."""

from __future__ import annotations

from dataclasses import dataclass, replace
from statistics import median
from typing import TYPE_CHECKING, Final

from benchmarks import children, instructions
from benchmarks.targets import Target
from benchmarks.variants import VARIANTS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

MICROSECONDS: Final = 1e6
ROUTERS: Final = 300
_LONGER: Final = 5
"""So many times as long as another request does one to the last of the routers take, or more."""
_TRACED: Final = 300
"""Requests whose bytecodes are counted."""
_PROMISES: Final = (
    ("ours", "fastapi", 0.25),
    ("ours", "contrib", 0.4),
    ("ours-10", "instrumentator", 1.0),
)
"""What costs at most so many times what a peer does."""


@dataclass(frozen=True)
class Overhead:
    """What a variant costs, in seconds of CPU a request.

    Args:
        least: its best round over the bare application's best one.
        middle: the median, over the rounds, of what it cost over the bare application then.
        instructions: over the bare application; None where the machine does not count them.
    """

    variant: str
    least: float
    middle: float
    instructions: float | None = None


def measure(
    variants: Sequence[str],
    rounds: int,
    requests: int,
    say: Callable[[str], object],
) -> list[Overhead]:
    """Measure each variant once a round, in a fresh process; `bare` is always among them."""
    found: dict[str, list[float]] = {name: [] for name in dict.fromkeys(("bare", *variants))}
    with children.sink() as endpoint:
        for number in range(1, rounds + 1):
            for name, seconds in found.items():
                seconds.append(_once(name, requests, 1, endpoint))
            bare = found["bare"][-1]
            told = (f"{n} +{(s[-1] - bare) * MICROSECONDS:.0f}" for n, s in found.items())
            say(f"round {number} of {rounds}, us over bare: {', '.join(told)}")
    return [_overhead(name, found[name], found["bare"]) for name in variants]


def count(found: Sequence[Overhead], say: Callable[[str], object]) -> list[Overhead]:
    """The same with the instructions of a request, which no other work on the machine changes."""
    counted = []
    with children.sink() as endpoint:
        bare = instructions.measure("bare", endpoint)
        for one in found:
            over = instructions.measure(one.variant, endpoint) - bare
            say(f"instructions over the {bare:,.0f} of bare: {one.variant} +{over:,.0f}")
            counted.append(replace(one, instructions=over))
    return counted


def targets(found: Sequence[Overhead]) -> list[Target]:
    """The promises about a request's CPU, by the medians."""
    by_name = {one.variant: one for one in found}
    return [_promise(by_name[mine], by_name[peer], bound) for mine, peer, bound in _PROMISES]


def _promise(mine: Overhead, peer: Overhead, bound: float) -> Target:
    name = f"{VARIANTS[mine.variant].title}: overhead over that of {VARIANTS[peer.variant].title}"
    note = ""
    if mine.instructions is not None and peer.instructions:
        note = f"in instructions {mine.instructions / peer.instructions:.2f}"
    ratio = mine.middle / peer.middle if peer.middle > 0 else float("inf")
    return Target(name, ratio, bound, note=note)


def routers(rounds: int, requests: int, say: Callable[[str], object]) -> list[Target]:
    """The promise that routers cost nothing: what observing takes with many over that with one.

    It is a hundredth of what the framework itself does for 300 routers, and any clock is wrong by
    as much; so the promise is about bytecodes, and CPU is told beside them. One and many take
    turns, the bare application with as many routers beside each.
    """
    found: dict[int, list[float]] = {1: [], ROUTERS: []}
    bare: dict[int, list[float]] = {1: [], ROUTERS: []}
    with children.sink() as endpoint:
        work = {count: _bytecodes(count, endpoint) for count in found}
        for number in range(1, rounds + 1):
            for count in found:
                few = max(1, requests // _LONGER)
                bare[count].append(_once("bare", few, count, endpoint))
                found[count].append(_once("ours", few, count, endpoint))
            told = (
                f"{n} routers +{(s[-1] - bare[n][-1]) * MICROSECONDS:.0f} over "
                f"{bare[n][-1] * MICROSECONDS:.0f}"
                for n, s in found.items()
            )
            say(f"round {number} of {rounds}, us over bare: {', '.join(told)}")
    note = "; ".join(
        f"{count}: {work[count]:.0f} bytecodes, best round "
        f"+{(min(found[count]) - min(bare[count])) * MICROSECONDS:.0f} µs over "
        f"{min(bare[count]) * MICROSECONDS:.0f} µs"
        for count in found
    )
    name = f"bytecodes of observing, the last of {ROUTERS} routers over the only one"
    return [Target(name, work[ROUTERS] / work[1], 1.05, note=note)]


def _bytecodes(routers: int, endpoint: Mapping[str, str]) -> float:
    """Those of this library; FastAPI asks OpenTelemetry by itself, too."""
    ours, bare = (
        float(children.output("benchmarks.bytecodes", name, str(_TRACED), str(routers),
                              core=None, **endpoint)["mean"])
        for name in ("ours", "bare")
    )  # fmt: skip
    return ours - bare


def _once(name: str, requests: int, routers: int, endpoint: Mapping[str, str]) -> float:
    arguments = (name, str(requests), str(routers))
    answer = children.output("benchmarks.requests", *arguments, core=0, **endpoint)
    return float(answer["seconds"])


def _overhead(name: str, seconds: Sequence[float], bare: Sequence[float]) -> Overhead:
    pairs = zip(seconds, bare, strict=True)
    return Overhead(name, min(seconds) - min(bare), median(mine - base for mine, base in pairs))


def table(found: Sequence[Overhead]) -> str:
    """A table of the overheads in Markdown."""
    lines = ["| | µs of CPU a request, median | best round | instructions |", "|---|---|---|---|"]
    lines += [
        f"| {VARIANTS[one.variant].title} | +{one.middle * MICROSECONDS:.1f} "
        f"| +{one.least * MICROSECONDS:.1f} | {_thousands(one.instructions)} |"
        for one in found
    ]
    return "\n".join(lines)


def _thousands(instructions: float | None) -> str:
    return "–" if instructions is None else f"+{instructions:,.0f}"
