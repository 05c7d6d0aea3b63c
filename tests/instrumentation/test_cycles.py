"""A request leaves nothing behind for the garbage collector."""

from __future__ import annotations

import asyncio
import contextlib
import gc
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi import FastAPI, HTTPException
from prometheus_client import CollectorRegistry
from starlette.responses import StreamingResponse
from starlette.types import Message

from instrumentation import Settings, instrument

REQUESTS = 50


def application() -> FastAPI:
    app, mounted = FastAPI(), FastAPI()

    @app.get("/items/{item}")
    @mounted.get("/items/{item}")
    async def read(item: int) -> dict[str, int]:
        return {"item": item}

    @app.get("/stream")
    async def stream() -> StreamingResponse:
        return StreamingResponse(iter([b"a", b"b"]))

    @app.get("/refused")
    async def refuse() -> None:
        raise HTTPException(409)

    @app.get("/broken")
    async def fail() -> None:
        raise LookupError

    app.mount("/mounted", mounted)
    return app


async def ask(app: Any, path: str) -> None:
    scope = {"type": "http", "method": "GET", "path": path, "query_string": b"", "headers": []}

    received = iter([{"type": "http.request"}])

    async def receive() -> Message:
        for message in received:
            return message
        return await asyncio.Future()

    async def send(message: Message) -> None:
        pass

    with contextlib.suppress(LookupError):
        await app(scope, receive, send)


async def unreachable(app: Any, path: str) -> int:
    """How many objects only the collector could free, after some requests."""
    await ask(app, path)
    gc.collect()
    for _ in range(REQUESTS):
        await ask(app, path)
    return gc.collect()


@pytest.fixture
def quiet() -> Iterator[None]:
    """No collection but those that are asked for."""
    gc.disable()
    yield
    gc.enable()


@pytest.mark.anyio
@pytest.mark.usefixtures("quiet")
@pytest.mark.parametrize(
    "path", ["/items/1", "/mounted/items/1", "/stream", "/refused", "/broken", "/nowhere"]
)
async def test_a_request_leaves_no_cycle_behind(path: str) -> None:
    bare, observed = application(), application()
    settings = Settings(traces_exporter="none", blocking_threshold_seconds=0.0)
    with instrument(observed, settings, registry=CollectorRegistry()):
        found = await unreachable(observed, path), await unreachable(bare, path)
        assert found[0] - found[1] < REQUESTS, found
