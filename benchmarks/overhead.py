"""CPU a request over the bare application, variant by variant, in interleaved rounds."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING, Final

from benchmarks import children
from benchmarks.targets import Target
from benchmarks.variants import VARIANTS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

MICROSECONDS: Final = 1e6
ROUTERS: Final = 300
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
    """

    variant: str
    least: float
    middle: float


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


def targets(found: Sequence[Overhead]) -> list[Target]:
    """The promises about a request's CPU, by the medians."""
    middle = {one.variant: one.middle for one in found}
    return [
        Target(
            f"{VARIANTS[mine].title}: overhead over that of {VARIANTS[peer].title}",
            middle[mine] / middle[peer] if middle[peer] > 0 else float("inf"),
            bound,
        )
        for mine, peer, bound in _PROMISES
    ]


def routers(rounds: int, requests: int, say: Callable[[str], object]) -> list[Target]:
    """The promise that routers cost nothing: the overhead with many over that with one.

    One and many take turns, the bare application with as many routers beside each.
    """
    found: dict[int, list[float]] = {1: [], ROUTERS: []}
    with children.sink() as endpoint:
        for number in range(1, rounds + 1):
            for count, differences in found.items():
                bare, ours = (_once(name, requests, count, endpoint) for name in ("bare", "ours"))
                differences.append(ours - bare)
            told = (f"{n} routers +{s[-1] * MICROSECONDS:.0f}" for n, s in found.items())
            say(f"round {number} of {rounds}, us over bare: {', '.join(told)}")
    ratio = median(found[ROUTERS]) / median(found[1])
    return [Target(f"overhead with {ROUTERS} routers over that with one", ratio, 1.05)]


def _once(name: str, requests: int, routers: int, endpoint: Mapping[str, str]) -> float:
    arguments = (name, str(requests), str(routers))
    answer = children.output("benchmarks.requests", *arguments, core=0, **endpoint)
    return float(answer["seconds"])


def _overhead(name: str, seconds: Sequence[float], bare: Sequence[float]) -> Overhead:
    pairs = zip(seconds, bare, strict=True)
    return Overhead(name, min(seconds) - min(bare), median(mine - base for mine, base in pairs))


def table(found: Sequence[Overhead]) -> str:
    """A table of the overheads in Markdown."""
    lines = ["| | µs of CPU a request, median | best round |", "|---|---|---|"]
    lines += [
        f"| {VARIANTS[one.variant].title} | +{one.middle * MICROSECONDS:.1f} "
        f"| +{one.least * MICROSECONDS:.1f} |"
        for one in found
    ]
    return "\n".join(lines)
