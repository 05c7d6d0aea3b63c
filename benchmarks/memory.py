"""`python -m benchmarks.memory VARIANT ROUTES`: what it holds after requests to all, and a scrape.

The application uses neither SQLAlchemy nor httpx. Both are installed here: were they loaded to be
observed, it would be counted.
"""

from __future__ import annotations

import asyncio
import gc
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


def measure(rounds: int) -> list[Target]:
    """The promise about memory."""
    found = []
    with children.sink() as endpoint:
        for _ in range(rounds):
            found.append((_once("ours", endpoint) - _once("bare", endpoint)) / MIB)
    return [Target(f"memory over bare, {ROUTES} routes, one scrape", median(found), 25, " MiB")]


def _once(variant: str, endpoint: Mapping[str, str]) -> int:
    found = children.output("benchmarks.memory", variant, str(ROUTES), core=None, **endpoint)
    return int(found["bytes"])


async def _main(variant: str, routes: int) -> int:
    app, flush = build(variant, routes)
    for number in range(1, routes + 1):
        await ask(app, path(number), _EACH)
    await ask(app, "/metrics", 1)  # the bare application has none, and says so
    await asyncio.to_thread(flush)
    gc.collect()
    return int(psutil.Process().memory_info().rss)


def main() -> None:
    """Measure, and print the result as JSON."""
    resident = uvloop.run(_main(sys.argv[1], int(sys.argv[2])))
    sys.stdout.write(json.dumps({"bytes": resident}))


if __name__ == "__main__":
    main()
