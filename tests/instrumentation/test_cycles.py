"""A request leaves nothing behind for the garbage collector."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import weakref
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from fastapi import FastAPI, HTTPException
from prometheus_client import CollectorRegistry
from starlette.responses import StreamingResponse
from starlette.types import Message

from instrumentation import Settings, instrument


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
    with instrument(app, Settings(traces_exporter="none"), registry=CollectorRegistry()):
        left = await ask(app, path)
        assert left() is None
