"""What the server does not send any more: to a client that is gone, or after another answer."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import AsyncIterator
from urllib.parse import urlsplit

import httpx
import pytest
from fastapi import FastAPI
from fastapi.responses import JSONResponse, Response, StreamingResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from tests.instrumentation.conftest import Observed, wait_until
from tests.instrumentation.servers import uvicorn_


@pytest.mark.parametrize("protocol", ["httptools", "h11"])
@pytest.mark.parametrize("begins", [False, True])
def test_a_client_that_gives_up_waiting_is_gone(
    observed: Observed, protocol: str, begins: bool
) -> None:
    app, started, gone = FastAPI(), threading.Event(), threading.Event()

    def wait() -> None:
        started.set()
        gone.wait(10)

    async def chunks() -> AsyncIterator[bytes]:
        yield b"first"
        await asyncio.to_thread(wait)
        yield b"last"

    @app.get("/slow")
    async def slow() -> Response:
        if begins:
            return StreamingResponse(chunks())
        await asyncio.to_thread(wait)
        return Response()

    @app.get("/ok")
    async def ok() -> None: ...

    observed.instrument(app)
    with uvicorn_(app, http=protocol) as base:
        address = urlsplit(base)
        with socket.create_connection((address.hostname, address.port)) as client:
            client.sendall(b"GET /slow HTTP/1.1\r\nhost: x\r\n\r\n")
            assert started.wait(10)
        httpx.get(f"{base}/ok")  # the server sees it after the other client's farewell
        gone.set()
        wait_until(lambda: len(observed.spans()) == 2)
    status = "200" if begins else ""
    assert observed.counts() == {("GET", "/slow", status, ""): 1, ("GET", "/ok", "200", ""): 1}
    assert observed.value("http_server_aborted_requests_total", http_route="/slow") == 1
    assert observed.value("http_server_aborted_requests_total", http_route="/ok") is None


def test_an_answer_that_comes_too_late_changes_nothing(observed: Observed) -> None:
    """An error handler that doesn't ask whether the response has begun: the server refuses it."""

    class Late:
        def __init__(self, app: ASGIApp) -> None:
            self.app = app

        async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
            try:
                await self.app(scope, receive, send)
            except LookupError:
                await JSONResponse({}, 500)(scope, receive, send)

    app = FastAPI()

    @app.get("/begun")
    async def begun() -> StreamingResponse:
        async def chunks() -> AsyncIterator[bytes]:
            yield b"first"
            raise IndexError

        return StreamingResponse(chunks())

    app.add_middleware(Late)
    observed.instrument(app)
    with uvicorn_(app) as base, pytest.raises(httpx.RemoteProtocolError):
        httpx.get(f"{base}/begun")
    assert observed.counts() == {("GET", "/begun", "200", "IndexError"): 1}
