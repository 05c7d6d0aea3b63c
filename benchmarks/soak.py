"""Does anything grow under load, for as long as one likes to wait?

uvicorn serves an application with everything switched on; a modest load asks it for answers,
streams, errors and paths that there are none of, from connections that come and go, and scrapes it.
Once a minute the service tells what it holds. A line is fitted through what it tells after the
first third, in which caches fill: what it climbs until the end is what has grown.
"""

from __future__ import annotations

import asyncio
import gc
import http.client
import json
import random
import threading
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from statistics import linear_regression
from typing import Final, Self

import psutil
from fastapi import FastAPI, HTTPException
from starlette.responses import StreamingResponse

from benchmarks import children
from benchmarks.children import BenchError
from benchmarks.served import running
from benchmarks.targets import Target
from benchmarks.variants import VARIANTS

RATE: Final = 100
"""Requests a second."""

MOST: Final = {
    "resident": 2.0,
    "threads": 0.5,
    "descriptors": 0.5,
    "series": 0.5,
    "objects": 2000.0,
}
"""What may come in the time that is looked at: MiB of resident memory, and numbers of the rest.

The loop's watch remembers the last stalls of a busy machine, each as a few objects; one object that
every request left would be a hundred thousand.
"""

_NO_SERIES: Final = (b"#", b"asyncio_event_loop_")
"""The loop's own tell of each block that a busy machine causes; there are at most 100 culprits."""

_FILLING: Final = 3
"""One part in so many is for caches to fill, and is not looked at."""

_MIB: Final = 2**20
_SCRAPE_SECONDS: Final = 15.0
_TIMEOUT: Final = 30.0

Sample = Mapping[str, float]


def measure(minutes: int, say: Callable[[str], object], seconds: float = 60.0) -> list[Target]:
    """Load the service for so many minutes, each of so many seconds."""
    samples: list[Sample] = []
    with (
        children.sink() as endpoint,
        running("benchmarks.soak:served", None, **endpoint) as port,
        Load(port) as load,
    ):
        for minute in range(1, minutes + 1):
            load.go_on(time.monotonic() + seconds)
            samples.append(load.vitals())
            told = ", ".join(f"{value:.6g} {name}" for name, value in samples[-1].items())
            say(f"minute {minute} of {minutes}, {load.asked} requests: {told}")
    return targets(samples)


def targets(samples: Sequence[Sample]) -> list[Target]:
    """What each figure has grown by, by a line through its samples."""
    kept = samples[len(samples) // _FILLING :]
    return [
        Target(
            f"growth under load, {len(kept) - 1} minutes: {name}",
            _growth([sample[name] for sample in kept]),
            most,
            " MiB" if name == "resident" else "",
            note=f"{kept[0][name]:.6g} at first, {kept[-1][name]:.6g} at the end",
        )
        for name, most in MOST.items()
    ]


def _growth(values: list[float]) -> float:
    return linear_regression(range(len(values)), values).slope * (len(values) - 1)


class Load:
    """Asks the service at a steady rate."""

    def __init__(self, port: int) -> None:
        self._scraped = 0.0
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_TIMEOUT)
        self.asked = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def go_on(self, until: float) -> None:
        """Ask until then."""
        due = time.monotonic()
        while (now := time.monotonic()) < until:
            if now - self._scraped > _SCRAPE_SECONDS:
                self._scraped = now
                self._get("/metrics")
            path = random.choice(_PATHS)  # noqa: S311 - chance, no secret
            self._get(path.format(random.getrandbits(32)))
            self.asked += 1
            if path == _BROKEN:  # uvicorn hangs up behind an exception
                self._connection.close()
            due += 1 / RATE
            time.sleep(max(0.0, due - time.monotonic()))

    def vitals(self) -> Sample:
        """What the service holds now."""
        found: dict[str, float] = json.loads(self._get("/vitals"))
        lines = self._get("/metrics").splitlines()
        found["series"] = sum(not line.startswith(_NO_SERIES) for line in lines)
        return found

    def _get(self, path: str) -> bytes:
        try:
            self._connection.request("GET", path)
            return self._connection.getresponse().read()
        except (OSError, http.client.HTTPException) as error:
            raise BenchError(f"the service under load does not answer {path}: {error!r}") from error


_BROKEN: Final = "/broken/{}"
_PATHS: Final = (
    "/items/{}", "/items/{}", "/items/{}", "/items/{0}?token={0}", "/threads/{}", "/stream/{}",
    "/refused/{}", "/nowhere/{}", _BROKEN,
)  # fmt: skip


def application() -> FastAPI:
    """Answers, streams and fails as it is asked to, and tells what the process holds."""
    app = FastAPI()

    @app.get("/items/{item}")
    async def read(item: int) -> dict[str, int]:
        return {"item": item}

    @app.get("/threads/{item}")
    def read_in_a_thread(item: int) -> dict[str, int]:
        return {"item": item}

    @app.get("/stream/{item}")
    async def stream(item: int) -> StreamingResponse:
        async def parts() -> AsyncIterator[bytes]:
            for _ in range(3):
                await asyncio.sleep(0)
                yield b"part"

        return StreamingResponse(parts())

    @app.get("/refused/{item}")
    async def refuse(item: int) -> None:
        raise HTTPException(409, str(item))

    @app.get("/broken/{item}")
    async def fail(item: int) -> None:
        raise LookupError(item)

    @app.get("/vitals")
    async def vitals() -> dict[str, float]:
        await asyncio.to_thread(app.state.flush)  # or the spans that wait would be counted
        gc.collect()
        process = psutil.Process()
        return {
            "resident": process.memory_info().rss / _MIB,
            "threads": threading.active_count(),
            "descriptors": process.num_fds(),
            "objects": len(gc.get_objects()),
        }

    return app


def served() -> FastAPI:
    """The application for uvicorn, with every request sampled."""
    app = application()
    app.state.flush = VARIANTS["ours"].install(app)
    return app
