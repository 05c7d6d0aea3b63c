"""What the watchdog costs: of a core while nothing happens, and of a request."""

from __future__ import annotations

import asyncio
import gc
import statistics
import time
from dataclasses import dataclass
from typing import Any, Final

from fastapi import FastAPI
from opentelemetry.sdk.trace import TracerProvider
from prometheus_client import CollectorRegistry

from instrumentation import Settings, instrument

CORE: Final = 0.01
REQUEST_SECONDS: Final = 2e-6
_ROUNDS, _REQUESTS = 40, 1000
_SCOPE: Final[dict[str, Any]] = {
    "type": "http",
    "asgi": {"version": "3.0"},
    "http_version": "1.1",
    "method": "GET",
    "scheme": "http",
    "path": "/",
    "raw_path": b"/",
    "query_string": b"",
    "root_path": "",
    "headers": [(b"host", b"example")],
    "server": ("127.0.0.1", 80),
    "client": ("127.0.0.1", 1),
}


@dataclass
class Result:
    """The two figures."""

    core: float
    request_seconds: float

    @property
    def good(self) -> bool:
        """Whether both are below their bounds."""
        return self.core < CORE and self.request_seconds < REQUEST_SECONDS

    def lines(self) -> list[str]:
        """The figures."""
        return [
            f"cost: {self.core:.2%} of a core (bound {CORE:.0%}), "
            f"{self.request_seconds * 1e6:.2f} us of CPU a request (bound "
            f"{REQUEST_SECONDS * 1e6:.0f})"
        ]


def measure(seconds: float) -> Result:
    """Measure both, with and without the watchdog, in turns."""
    return Result(asyncio.run(_core(seconds)), _request())


async def _core(seconds: float) -> float:
    """CPU of this process while its loop has nothing to do but to be watched."""
    spent = []
    for threshold in (0.05, 0.0):
        app, telemetry = _application(threshold)
        with telemetry:
            await app(dict(_SCOPE), _receive, _send)
            before = time.process_time()
            await asyncio.sleep(seconds)
            spent.append((time.process_time() - before) / seconds)
    return max(0.0, spent[0] - spent[1])


def _request() -> float:
    """The difference between requests with the watchdog and without, the loop's thread alone.

    What the watchdog costs by itself is in the other figure. Rounds take turns, so that the
    machine's moods hit both, and the median of their differences counts.
    """
    return asyncio.run(_difference())


async def _difference() -> float:
    watched, one = _application(0.05)
    unwatched, other = _application(0.0)
    differences = []
    with one, other:
        await _round(watched)
        await _round(unwatched)
        gc.disable()
        try:
            for turn in range(_ROUNDS):
                pair = (watched, unwatched) if turn % 2 else (unwatched, watched)
                spent = {app: await _round(app) for app in pair}
                differences.append(spent[watched] - spent[unwatched])
                gc.collect()
        finally:
            gc.enable()
    return statistics.median(differences) / _REQUESTS


async def _round(app: FastAPI) -> float:
    before = time.thread_time()
    for _ in range(_REQUESTS):
        await app(dict(_SCOPE), _receive, _send)
    return time.thread_time() - before


def _application(threshold: float) -> tuple[FastAPI, Any]:
    app = FastAPI()

    @app.get("/")
    async def nothing() -> None:
        """Answer."""

    settings = Settings(blocking_threshold_seconds=threshold, traces_exporter="none")
    provider = TracerProvider(shutdown_on_exit=False)
    return app, instrument(app, settings, registry=CollectorRegistry(), tracer_provider=provider)


async def _receive() -> dict[str, Any]:
    return {"type": "http.request", "body": b"", "more_body": False}


async def _send(message: Any) -> None:
    """Take it."""
