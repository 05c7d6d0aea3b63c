"""`python -m benchmarks.memory VARIANT ROUTES`: what it holds after requests to all.

Both applications have loaded the libraries that are observed where they are installed, as a
service that uses them has: what is measured is the cost of observing.
"""

from __future__ import annotations

import asyncio
import gc
import importlib
import json
import sys
from collections.abc import Mapping
from statistics import median
from typing import Final

import psutil
import uvloop

from benchmarks import children
from benchmarks.requests import ask
from benchmarks.targets import Target
from benchmarks.variants import build, path

ROUTES: Final = 200
MIB: Final = 2**20
_EACH: Final = 20
_OBSERVED: Final = ("sqlalchemy", "sqlalchemy.ext.asyncio", "httpx", "httpx2")


def measure(rounds: int) -> list[Target]:
    """The promise about memory."""
    found = []
    with children.sink() as endpoint:
        for _ in range(rounds):
            found.append((_once("ours", endpoint) - _once("bare", endpoint)) / MIB)
    return [Target(f"memory over bare, {ROUTES} routes", median(found), 25, " MiB")]


def _once(variant: str, endpoint: Mapping[str, str]) -> int:
    found = children.output("benchmarks.memory", variant, str(ROUTES), core=None, **endpoint)
    return int(found["bytes"])


async def _main(variant: str, routes: int) -> int:
    for name in _OBSERVED:
        importlib.import_module(name)
    app, flush = build(variant, routes)
    for number in range(1, routes + 1):
        await ask(app, path(number), _EACH)
    await asyncio.to_thread(flush)
    gc.collect()
    return int(psutil.Process().memory_info().rss)


def main() -> None:
    """Measure, and print the result as JSON."""
    resident = uvloop.run(_main(sys.argv[1], int(sys.argv[2])))
    sys.stdout.write(json.dumps({"bytes": resident}))


if __name__ == "__main__":
    main()
