"""`python -m benchmarks.scrape ROUTES SCRAPES`: what a scrape costs, and does to the loop.

An application of ROUTES routes with three statuses each is scraped while its loop beats. The
beats are compared with those of the same loop beside a thread that only sleeps.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from dataclasses import dataclass
from statistics import median
from typing import Any, Final

import uvloop
from fastapi import FastAPI, HTTPException

from benchmarks import children
from benchmarks.requests import receive, scope_of, send
from benchmarks.targets import Target

ROUTES, MANY_ROUTES = 40, 170
STATUSES: Final = (200, 404, 503)
MILLISECONDS: Final = 1e3
_ACCEPT: Final = (b"accept", b"application/openmetrics-text;version=1.0.0")
_BEAT_SECONDS: Final = 0.0005


@dataclass(frozen=True)
class Scrape:
    """The median of several scrapes, in seconds.

    Args:
        cpu: of the whole process; what the beats take is left out.
        held: the longest time between two beats, over that of a quiet loop.
        lines: how many the answer has.
    """

    cpu: float
    held: float
    lines: int


def measure(scrapes: int) -> list[Target]:
    """The promises about scrapes."""
    usual, many = _of(ROUTES, scrapes), _of(MANY_ROUTES, scrapes)
    return [
        Target(f"a scrape of {usual.lines:,} lines: CPU", usual.cpu * MILLISECONDS, 30, " ms"),
        _held(usual),
        _held(many),
    ]


def _held(found: Scrape) -> Target:
    name = f"a scrape of {found.lines:,} lines: the loop is held for"
    return Target(name, found.held * MILLISECONDS, 5, " ms")


def _of(routes: int, scrapes: int) -> Scrape:
    found = children.output(
        "benchmarks.scrape", str(routes), str(scrapes), OTEL_TRACES_EXPORTER="none"
    )
    return Scrape(**found)


def application(routes: int) -> FastAPI:
    """Routes that answer with the status that the path asks for."""
    app = FastAPI()

    async def answer(status: int) -> None:
        if status != STATUSES[0]:
            raise HTTPException(status)

    for number in range(routes):
        app.get(f"/route{number}/{{status}}")(answer)
    return app


async def beats(within: Any) -> tuple[float, int]:
    """Run `within` beside a beating loop: the longest time between two beats, and their number."""
    task = asyncio.ensure_future(within)
    longest, number, last = 0.0, 0, time.perf_counter()
    while not task.done():
        await asyncio.sleep(_BEAT_SECONDS)
        now = time.perf_counter()
        longest, number, last = max(longest, now - last), number + 1, now
    await task
    return longest, number


async def _main(routes: int, scrapes: int) -> Scrape:
    from instrumentation import instrument

    app = application(routes)
    telemetry = instrument(app)
    for number in range(routes):
        for status in STATUSES:
            await app(scope_of(f"/route{number}/{status}"), receive, send)
    bodies: list[bytes] = []

    async def keep(message: Any) -> None:
        bodies.append(message.get("body", b""))

    scope = scope_of("/metrics")
    scope["headers"] = [_ACCEPT]
    found = []
    with telemetry:
        for _ in range(scrapes):
            bodies.clear()
            began = time.process_time()
            await app(dict(scope), receive, keep)
            cpu = time.process_time() - began
            quiet, _ = await beats(asyncio.sleep(cpu))
            held, _ = await beats(app(dict(scope), receive, keep))
            found.append((cpu, max(0.0, held - quiet)))
    lines = bodies[1].count(b"\n")
    return Scrape(median(cpu for cpu, _ in found), median(held for _, held in found), lines)


def main() -> None:
    """Measure, and print the result as JSON."""
    found = uvloop.run(_main(int(sys.argv[1]), int(sys.argv[2])))
    sys.stdout.write(json.dumps(vars(found)))


if __name__ == "__main__":
    main()
