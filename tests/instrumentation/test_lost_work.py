"""What a shutdown kills is counted as lost, on whichever loop and by whichever way it ends."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import socket
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn
import uvloop
from opentelemetry.trace import StatusCode
from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from tests.instrumentation.background_work import active, outcomes, works
from tests.instrumentation.conftest import Observed, wait_until

LOOPS = {"asyncio": asyncio.new_event_loop, "uvloop": uvloop.new_event_loop}


async def forever() -> None:
    await asyncio.Event().wait()


def application(kept: set[Any], lifespan: Any = None) -> Starlette:
    async def endpoint(request: Request) -> Response:
        kept.add(asyncio.create_task(forever()))
        return PlainTextResponse("done")

    return Starlette(routes=[Route("/", endpoint)], lifespan=lifespan)


def serve_once(app: Any, loop: str, then: Callable[[], object], **config: Any) -> None:
    """Serve on a real server, send one request, call `then`, and shut the server down."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = uvicorn.Server(uvicorn.Config(app, log_level="critical", loop=loop, **config))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            port = listener.getsockname()[1]
            wait_until(lambda: server.started)
            assert httpx.get(f"http://127.0.0.1:{port}/").text == "done"
            then()
        finally:
            server.should_exit = True
            thread.join()


@pytest.mark.proves("Background work", "tasks that a shutdown kills are counted as lost")
@pytest.mark.parametrize("loop", LOOPS)
def test_a_task_that_outlives_the_server_is_lost(observed: Observed, loop: str) -> None:
    app = application(set())
    observed.instrument(app)
    serve_once(app, loop, lambda: None)
    assert outcomes(observed) == {("forever", "lost"): 1}
    assert active(observed) == 0
    (work,) = works(observed)
    assert work.status.status_code is StatusCode.ERROR
    assert work.attributes is not None
    assert work.attributes["background.lost_because"] == "shutdown"


@pytest.mark.proves("Background work", "tasks that a shutdown kills are counted as lost")
def test_what_still_runs_is_counted_before_the_last_export(observed: Observed) -> None:
    """Later, when the loop ends, nobody would see the figures any more."""
    app = application(set())
    observed.instrument(app)

    async def main() -> None:
        told: asyncio.Queue[Any] = asyncio.Queue()
        heard: asyncio.Queue[Any] = asyncio.Queue()
        life = asyncio.create_task(app({"type": "lifespan"}, told.get, heard.put))
        await told.put({"type": "lifespan.startup"})
        await heard.get()
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            await client.get("/")
        await told.put({"type": "lifespan.shutdown"})
        await heard.get()
        assert outcomes(observed) == {("forever", "lost"): 1}
        await life

    asyncio.run(main())
    assert outcomes(observed) == {("forever", "lost"): 1}


@pytest.mark.proves("Background work", "tasks that a shutdown kills are counted as lost")
def test_a_task_that_the_application_cancels_because_it_stops_is_lost(observed: Observed) -> None:
    kept: set[Any] = set()

    @contextlib.asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        yield
        for task in kept:
            task.cancel()
        await asyncio.wait(kept)

    app = application(kept, lifespan)
    observed.instrument(app)
    serve_once(app, "asyncio", lambda: None)
    assert outcomes(observed) == {("forever", "lost"): 1}


def test_a_task_that_the_application_waits_for_when_it_stops_is_not_lost(
    observed: Observed,
) -> None:
    go = threading.Event()
    kept: set[Any] = set()

    async def patient() -> None:
        while not go.is_set():
            await asyncio.sleep(0.01)

    async def endpoint(request: Request) -> Response:
        kept.add(asyncio.create_task(patient()))
        return PlainTextResponse("done")

    @contextlib.asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        yield
        go.set()
        await asyncio.wait(kept)

    app = Starlette(routes=[Route("/", endpoint)], lifespan=lifespan)
    observed.instrument(app)
    serve_once(app, "asyncio", lambda: None)
    assert outcomes(observed) == {("patient", "ok"): 1}


@pytest.mark.proves("Background work", "tasks that a shutdown kills are counted as lost")
@pytest.mark.parametrize("loop", LOOPS)
def test_a_background_task_that_the_server_waits_for_in_vain_is_lost(
    observed: Observed, loop: str
) -> None:
    async def endpoint(request: Request) -> Response:
        return PlainTextResponse("done", background=BackgroundTask(forever))

    app = Starlette(routes=[Route("/", endpoint)])
    observed.instrument(app)
    serve_once(
        app,
        loop,
        lambda: wait_until(lambda: active(observed) == 1),
        timeout_graceful_shutdown=0,
    )
    assert outcomes(observed) == {("forever", "lost"): 1}
    assert active(observed) == 0


@pytest.mark.proves("Background work", "tasks that a shutdown kills are counted as lost")
@pytest.mark.parametrize("loop", LOOPS)
def test_a_task_is_lost_where_a_loop_ends_without_a_lifespan(observed: Observed, loop: str) -> None:
    kept: set[Any] = set()
    app = application(kept)
    observed.instrument(app)

    async def call() -> None:
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            await client.get("/")

    with asyncio.Runner(loop_factory=LOOPS[loop]) as runner:
        runner.run(call())
    assert outcomes(observed) == {("forever", "lost"): 1}


def test_a_task_that_nobody_kept_is_lost_to_the_garbage_collector(observed: Observed) -> None:
    async def endpoint(request: Request) -> Response:
        asyncio.create_task(forever())  # noqa: RUF006 - nobody keeps it: that is the case
        return PlainTextResponse("done")

    app = Starlette(routes=[Route("/", endpoint)])
    observed.instrument(app)

    def collect() -> None:
        wait_until(lambda: gc.collect() and works(observed))

    serve_once(app, "asyncio", collect)
    assert outcomes(observed) == {("forever", "lost"): 1}
    (work,) = works(observed)
    assert work.attributes is not None
    assert work.attributes["background.lost_because"] == "garbage collected"


def test_at_the_process_s_end_what_is_left_is_lost(tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(PROGRAM)
    environment = {"OTEL_TRACES_EXPORTER": "console", "PATH": ""}
    done = subprocess.run(
        [sys.executable, str(program)], env=environment, capture_output=True, text=True, check=True
    )
    assert '"background.outcome": "lost"' in done.stdout
    assert '"name": "background forever"' in done.stdout


PROGRAM = """
import asyncio
import httpx
from fastapi import FastAPI
from instrumentation import instrument

app, kept = FastAPI(), set()

async def forever():
    await asyncio.Event().wait()

@app.get("/")
async def endpoint():
    kept.add(asyncio.create_task(forever()))

instrument(app)

async def call():
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://a") as client:
        assert (await client.get("/")).status_code == 200

# A loop that is left alone: nobody cancels what runs on it.
loop = asyncio.new_event_loop()
loop.run_until_complete(call())
"""
