"""The service under test: it blocks when told to, and remembers when it did.

    python -m benchmarks.blocking.app LOOP

prints the address that it serves at. LOOP is asyncio or uvloop.
"""

from __future__ import annotations

import gc
import socket
import sys
import time
from pathlib import Path
from typing import Any

import psutil
import uvicorn
from fastapi import BackgroundTasks, Depends, FastAPI, Request
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor, TracerProvider
from prometheus_client import REGISTRY
from starlette.middleware.base import BaseHTTPMiddleware, RequestResponseEndpoint
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from benchmarks.blocking.kinds import KINDS, calibrate, culprits
from instrumentation import Settings, instrument

_LONG_NS = 25_000_000


class Found(SpanProcessor):
    """Keeps the spans that tell of a block."""

    def __init__(self) -> None:
        self.blocks: list[dict[str, Any]] = []

    def on_end(self, span: ReadableSpan) -> None:
        """Keep it."""
        if span.name == "event_loop.blocked":
            told = dict(span.attributes or {})
            self.blocks.append({**told, "start": span.start_time, "end": span.end_time})


class Collections:
    """Remembers the long runs of the garbage collector, which block too."""

    def __init__(self) -> None:
        self.long: list[dict[str, int]] = []
        self._start = 0

    def __call__(self, phase: str, info: dict[str, int]) -> None:
        """Called by the collector."""
        if phase == "start":
            self._start = time.time_ns()
        elif time.time_ns() - self._start > _LONG_NS:
            self.long.append({"start": self._start, "end": time.time_ns()})


collections = Collections()
found = Found()
truth: list[dict[str, Any]] = []


def hold(request: Request, place: str) -> None:
    """Hold the loop as the query asks, and write down what happened."""
    kind, seconds = KINDS[request.query_params["kind"]], float(request.query_params["seconds"])
    starved, start = _starved(), time.time_ns()
    kind(seconds)
    end = time.time_ns()
    truth.append(
        {
            "kind": kind.__name__,
            "route": f"/{place}/{{name}}",
            "culprits": culprits(kind),
            "start": start,
            "end": end,
            "starved": _starved() - starved,
        }
    )


def _starved() -> int:
    """Nanoseconds for which this thread could have run and got no CPU, where Linux tells."""
    try:
        return int(Path("/proc/thread-self/schedstat").read_text().split()[1])
    except (OSError, IndexError):
        return 0


async def dependency(request: Request) -> None:
    """Hold the loop before the endpoint."""
    hold(request, "dependency")


async def base_middleware(request: Request, call_next: RequestResponseEndpoint) -> Response:
    """Hold the loop behind the endpoint, in a task other than the endpoint's."""
    response = await call_next(request)
    if request.url.path.startswith("/base_middleware/"):
        hold(request, "base_middleware")
    return response


class Middleware:
    """Holds the loop before there is a route."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] == "http" and scope["path"].startswith("/middleware/"):
            hold(Request(scope), "middleware")
        await self.app(scope, receive, send)


app = FastAPI()
app.add_middleware(BaseHTTPMiddleware, dispatch=base_middleware)
app.add_middleware(Middleware)


@app.get("/endpoint/{name}")
async def endpoint(request: Request) -> None:
    """Hold the loop."""
    hold(request, "endpoint")


@app.get("/dependency/{name}", dependencies=[Depends(dependency)])
async def dependent() -> None:
    """Have a dependency hold the loop."""


@app.get("/middleware/{name}")
@app.get("/base_middleware/{name}")
async def within() -> None:
    """Have a middleware hold the loop."""


@app.get("/background/{name}")
async def background(request: Request, tasks: BackgroundTasks) -> None:
    """Hold the loop when the response is out."""

    async def later() -> None:
        hold(request, "background")

    tasks.add_task(later)


@app.get("/light")
async def light(seconds: float = 0.001) -> int:
    """Work for a moment, and leave garbage with cycles in it."""
    end = time.thread_time() + seconds
    for _ in range(20):
        cycle: list[Any] = []
        cycle.append(cycle)
    turns = 0
    while time.thread_time() < end:
        turns += 1
    return turns


@app.get("/told")
async def told() -> dict[str, Any]:
    """What happened, what was told of it, and what all that took."""
    samples = [
        (sample.labels, sample.value)
        for family in REGISTRY.collect()
        for sample in family.samples
        if sample.name == "asyncio_event_loop_stalled_seconds_total"
    ]
    return {
        "truth": truth,
        "blocks": found.blocks,
        "collections": collections.long,
        "stalled": {labels["reason"]: value for labels, value in samples},
        "cpu": sum(psutil.Process().cpu_times()[:2]),
    }


def main() -> None:
    """Serve until the process is ended."""
    calibrate()
    gc.callbacks.append(collections)
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(found)
    instrument(app, Settings.from_env(), tracer_provider=provider)
    listener = socket.create_server(("127.0.0.1", 0))
    sys.stdout.write(f"http://127.0.0.1:{listener.getsockname()[1]}\n")
    sys.stdout.flush()
    loop: Any = sys.argv[1]
    config = uvicorn.Config(app, log_level="error", loop=loop, timeout_keep_alive=600)
    uvicorn.Server(config).run(sockets=[listener])


if __name__ == "__main__":
    main()
