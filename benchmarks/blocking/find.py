"""Random blocks, one after another: which were found, and how exactly."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from dataclasses import dataclass, field
from typing import Any, Final

import httpx

from benchmarks.blocking.kinds import KINDS
from benchmarks.blocking.service import Service, load

PLACES: Final = ("endpoint", "dependency", "middleware", "base_middleware", "background")
SHORTEST, LONGEST = 0.06, 0.5
REQUESTS_A_SECOND: Final = 50.0
_ABSOLUTE, _RELATIVE = 0.02, 0.1
_MOST_STARVED = 0.25


@dataclass
class Result:
    """What became of the blocks."""

    blocks: int = 0
    starved: int = 0
    found: int = 0
    misses: list[str] = field(default_factory=list)
    errors: list[float] = field(default_factory=list)
    kinds: Counter[str] = field(default_factory=Counter)
    invented: list[str] = field(default_factory=list)

    @property
    def good(self) -> bool:
        """Whether every block was found, and no other was reported."""
        enough = self.starved <= _MOST_STARVED * (self.blocks + self.starved)
        return enough and self.found == self.blocks and not self.invented

    def lines(self) -> list[str]:
        """The figures."""
        worst = max(self.errors, default=0.0) * 1000
        mean = sum(self.errors) / max(1, len(self.errors)) * 1000
        kinds = ", ".join(f"{kind} {count}" for kind, count in sorted(self.kinds.items()))
        starved = f"{self.starved} more were mostly starved of CPU by other programs"
        return [
            f"{self.found} of {self.blocks} blocks found, with route, line and duration ({kinds})",
            f"duration off by {mean:.1f} ms on average, {worst:.1f} ms at worst",
            *([starved] if self.starved else []),
            *(f"missed: {miss}" for miss in self.misses),
            *(f"invented: {invented}" for invented in self.invented),
        ]


async def provoke(service: Service, blocks: int) -> None:
    """Have the service block `blocks` times, under load."""
    async with load(service, REQUESTS_A_SECOND), httpx.AsyncClient(timeout=60) as client:
        for index in range(blocks):
            kind, place = list(KINDS)[index % len(KINDS)], PLACES[index // len(KINDS) % len(PLACES)]
            seconds = random.uniform(SHORTEST * 1.05, LONGEST)  # noqa: S311 - no secret
            query: dict[str, str | float] = {"kind": kind, "seconds": seconds}
            await client.get(f"{service.address}/{place}/{index}", params=query)
            await asyncio.sleep(random.uniform(0.05, 0.3))  # noqa: S311 - no secret
        await asyncio.sleep(3)  # a middleware's block is told when its request is over


def compare(told: dict[str, Any]) -> Result:
    """Hold what was told against what happened."""
    result = Result()
    left = list(told["blocks"])
    for true in told["truth"]:
        seconds = (true["end"] - true["start"]) / 1e9
        overlapping = [b for b in left if _overlap(b, true) > 0.5 * (true["end"] - true["start"])]
        if seconds - true["starved"] / 1e9 < SHORTEST:
            # Code that got no CPU has not held the loop: it may be told or not.
            result.starved += 1
            left = [b for b in left if b not in overlapping]
            continue
        result.blocks += 1
        right = [b for b in overlapping if _is_right(b, true)]
        if right:
            error = abs(right[0]["event_loop.blocked.seconds"] - seconds)
            result.errors.append(error)
            left.remove(right[0])
            if error <= max(_ABSOLUTE, _RELATIVE * seconds):
                result.found += 1
                result.kinds[true["kind"]] += 1
                continue
        result.misses.append(f"{describe(true)}, told: {[describe(b) for b in overlapping]}")
    result.invented = [describe(b) for b in left if not is_collection(b, told["collections"])]
    return result


def is_collection(block: dict[str, Any], collections: list[dict[str, Any]]) -> bool:
    """Whether the garbage collector ran then, and the block says so."""
    named = block["event_loop.blocked.culprit"] == "gc"
    return named and any(_overlap(block, collection) > 0 for collection in collections)


def _overlap(one: dict[str, Any], other: dict[str, Any]) -> float:
    return float(min(one["end"], other["end"]) - max(one["start"], other["start"]))


def _is_right(block: dict[str, Any], true: dict[str, Any]) -> bool:
    return (
        block.get("http.route") == true["route"]
        and block["event_loop.blocked.culprit"] in true["culprits"]
    )


def describe(block: dict[str, Any]) -> str:
    """A block in a few words."""
    name = block.get("event_loop.blocked.culprit") or block["kind"]
    route = block.get("http.route") or block.get("route")
    return f"{name} in {route} for {(block['end'] - block['start']) / 1e6:.0f} ms"
