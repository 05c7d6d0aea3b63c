"""A client that leaves is not an application that fails."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from fastapi import FastAPI
from fastapi.responses import StreamingResponse
from opentelemetry.trace import StatusCode
from starlette.requests import ClientDisconnect
from starlette.types import Message

from tests.instrumentation.conftest import Observed


def test_a_send_that_fails_because_the_client_left_is_no_error(observed: Observed) -> None:
    """Some servers raise for a send after the client left; the application then fails with it."""
    app = FastAPI()

    @app.get("/")
    async def endpoint() -> StreamingResponse:
        async def chunks() -> AsyncIterator[bytes]:
            yield b"first"
            yield b"second"

        return StreamingResponse(chunks())

    async def send(message: Message) -> None:
        if message.get("body") == b"second":
            raise OSError("gone")

    async def receive() -> Message:
        await asyncio.sleep(3600)
        raise AssertionError

    observed.instrument(app)
    scope = {"type": "http", "asgi": {"version": "3.0", "spec_version": "2.4"}, "method": "GET",
             "path": "/", "query_string": b"", "headers": []}  # fmt: skip
    with pytest.raises((ClientDisconnect, OSError)):  # the latter before Starlette 0.28
        asyncio.run(app(scope, receive, send))
    assert observed.counts() == {("GET", "/", "200", ""): 1}
    assert observed.value("http_server_aborted_requests_total", http_route="/") == 1
    assert observed.span().status.status_code is StatusCode.UNSET
