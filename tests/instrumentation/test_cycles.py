"""A request leaves nothing behind for the garbage collector."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import weakref
from collections.abc import AsyncIterator, Iterator
from contextvars import copy_context
from typing import Any

import httpx
import pytest
from fastapi import FastAPI, HTTPException
from prometheus_client import CollectorRegistry
from starlette.responses import StreamingResponse
from starlette.types import Message

from instrumentation import Settings, instrument
from instrumentation.context import Request, in_request
from tests.instrumentation.conftest import wait_until
from tests.instrumentation.servers import uvicorn_


def application() -> FastAPI:
    app, mounted = FastAPI(), FastAPI()

    @app.get("/items/{item}")
    @mounted.get("/items/{item}")
    async def read(item: int) -> dict[str, int]:
        return {"item": item}

    @app.get("/stream")
    async def stream() -> StreamingResponse:
        async def parts() -> AsyncIterator[bytes]:
            yield b"a"
            yield b"b"

        return StreamingResponse(parts())

    @app.get("/refused")
    async def refuse() -> None:
        raise HTTPException(409)

    @app.get("/broken")
    async def fail() -> None:
        raise LookupError

    app.mount("/mounted", mounted)
    return app


class Mark:
    """Stands in a scope, and goes with it."""


async def ask(app: Any, path: str) -> weakref.ref[Mark]:
    """Send a request; what its scope had lives no longer than that, unless a cycle holds it."""
    mark = Mark()
    scope = {"type": "http", "method": "GET", "path": path, "query_string": b"", "headers": [],
             "mark": mark}  # fmt: skip
    received = iter([{"type": "http.request"}])

    async def receive() -> Message:
        for message in received:
            return message
        return await asyncio.Future()

    async def send(message: Message) -> None:
        pass

    with contextlib.suppress(LookupError):
        await app(scope, receive, send)
    return weakref.ref(mark)


@pytest.fixture
def nothing_collected() -> Iterator[None]:
    gc.disable()
    yield
    gc.enable()


@pytest.mark.anyio
@pytest.mark.usefixtures("nothing_collected")
@pytest.mark.parametrize(
    "path", ["/items/1", "/mounted/items/1", "/stream", "/refused", "/broken", "/nowhere"]
)
async def test_a_request_is_freed_without_the_garbage_collector(path: str) -> None:
    app = application()
    bare = await ask(application(), path)
    is_kept = bare() is not None
    with instrument(app, Settings(traces_exporter="none"), registry=CollectorRegistry()):
        left = await ask(app, path)
    # On Python 3.12, a stream of FastAPI's is in a cycle of its own.
    assert left() is None or is_kept


@pytest.mark.usefixtures("nothing_collected")
def test_an_idle_connection_keeps_no_request() -> None:
    app = FastAPI()
    seen: list[weakref.ref[Request]] = []

    @app.get("/")
    async def read() -> None:
        request = in_request.get()
        assert request is not None
        seen.append(weakref.ref(request))  # type: ignore[arg-type]

    with (
        instrument(app, Settings(traces_exporter="none"), registry=CollectorRegistry()),
        uvicorn_(app, timeout_keep_alive=600) as base,
        httpx.Client(base_url=base, trust_env=False) as client,
    ):
        assert client.get("/").is_success
        wait_until(lambda: seen[0]() is None)


@pytest.mark.anyio
async def test_a_request_that_nobody_finishes_is_thrown_away_in_silence() -> None:
    app = FastAPI()

    @app.get("/")
    async def wait() -> None:
        await asyncio.Future()

    async def receive() -> Message:
        raise AssertionError

    async def send(message: Message) -> None:
        raise AssertionError(message)

    with instrument(app, Settings(traces_exporter="none"), registry=CollectorRegistry()):
        scope = {"type": "http", "method": "GET", "path": "/", "query_string": b"", "headers": []}
        waiting: Any = app(scope, receive, send)
        copy_context().run(waiting.send, None)
        waiting.close()
    assert in_request.get() is None
