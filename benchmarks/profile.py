"""`python -m benchmarks.profile VARIANT`: where the time of observing a request goes, by module.

The profiler makes calls dearer than they are, so the shares count and not the seconds. It sees the
thread that serves; what the exporting thread takes is the difference between the variants.
"""

from __future__ import annotations

import cProfile
import pstats
import sys
from collections import Counter
from pathlib import PurePath
from typing import Final

import uvloop

from benchmarks.requests import ask
from benchmarks.variants import build, path

OBSERVING: Final = ("instrumentation", "opentelemetry", "prometheus_client")
_WARM_UP, _REQUESTS, _ROWS = 500, 3000, 12


def shares(variant: str) -> dict[str, float]:
    """The share that each module has of what observing takes, the largest first."""
    profile = cProfile.Profile()
    uvloop.run(_profiled(variant, profile))
    taken: Counter[str] = Counter()
    stats = pstats.Stats(profile).stats  # type: ignore[attr-defined]
    for (file, _line, _name), (_calls, _primitive, seconds, *_) in stats.items():
        if (module := module_of(file)) is not None:
            taken[module] += seconds
    whole = sum(taken.values())
    return {module: seconds / whole for module, seconds in taken.most_common()}


def module_of(file: str) -> str | None:
    """A module of ours by its path, a library by its name; None for what does not observe."""
    parts = PurePath(file).parts
    package = next((part for part in parts if part in OBSERVING), None)
    if package != OBSERVING[0]:
        return package
    return "/".join(parts[parts.index(package) :])


async def _profiled(variant: str, profile: cProfile.Profile) -> None:
    app, _flush = build(variant)
    await ask(app, path(), _WARM_UP)
    with profile:
        await ask(app, path(), _REQUESTS)


def main() -> None:
    """Print the table in Markdown."""
    lines = ["| module | share |", "|---|---|"]
    found = list(shares(sys.argv[1]).items())
    lines += [f"| `{module}` | {share:.0%} |" for module, share in found[:_ROWS]]
    rest = sum(share for _, share in found[_ROWS:])
    sys.stdout.write("\n".join([*lines, f"| the rest | {rest:.0%} |", ""]))


if __name__ == "__main__":
    main()
