"""What the server refuses to send has not been sent, and is the request's own error."""

from __future__ import annotations

import asyncio
import itertools

import httpx
import pytest
from fastapi import FastAPI, Response
from starlette.types import Message, Receive, Scope, Send

from tests.instrumentation.conftest import Observed, Serve, wait_until


@pytest.fixture
def app() -> FastAPI:
    app = FastAPI()

    @app.get("/line-break")
    async def line_break() -> Response:
        return Response(headers={"x-name": "a\nb"})

    @app.get("/unknown-status")
    async def unknown_status() -> Response:
        return Response(status_code=799)

    @app.get("/too-long")
    async def too_long() -> Response:
        return Response(b"12345", headers={"content-length": "1"})

    @app.get("/too-short")
    async def too_short() -> Response:
        return Response(b"1", headers={"content-length": "5"})

    return app


@pytest.mark.parametrize(
    ("path", "status", "error_type"),
    [
        ("/line-break", "500", "RuntimeError"),
        ("/unknown-status", "500", "KeyError"),
        ("/too-long", "200", "RuntimeError"),
        ("/too-short", "200", "RuntimeError"),
    ],
)
def test_a_message_that_uvicorn_refuses(
    app: FastAPI, observed: Observed, serve: Serve, path: str, status: str, error_type: str
) -> None:
    observed.instrument(app)
    with pytest.raises(httpx.RemoteProtocolError):
        httpx.get(serve(app) + path)
    wait_until(observed.spans)
    assert observed.counts() == {("GET", path, status, error_type): 1}
    assert [event.name for event in observed.span().events] == ["exception"]


def ask(app: FastAPI, refused: int, error: BaseException) -> None:
    """Have `app` answer a request whose message of that number is refused with `error`."""
    messages = itertools.count()

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        if next(messages) == refused:
            raise error

    scope = {"type": "http", "method": "GET", "path": "/", "headers": [], "query_string": b""}
    with pytest.raises(type(error)):
        asyncio.run(app(scope, receive, send))


@pytest.mark.parametrize(("refused", "status"), [(0, "500"), (1, "200")])
def test_a_request_that_is_cancelled_while_its_message_waits(
    observed: Observed, refused: int, status: str
) -> None:
    app = FastAPI()
    app.get("/")(lambda: "")
    observed.instrument(app)
    ask(app, refused, asyncio.CancelledError())
    assert observed.counts() == {("GET", "/", status, "asyncio.exceptions.CancelledError"): 1}


@pytest.mark.parametrize("error", [RuntimeError(), asyncio.CancelledError()])
def test_what_is_refused_after_the_response_changes_nothing(
    observed: Observed, error: BaseException
) -> None:
    class Twice(Response):
        async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
            await super().__call__(scope, receive, send)
            await super().__call__(scope, receive, send)

    app = FastAPI()
    app.get("/")(lambda: Twice(b""))
    observed.instrument(app)
    ask(app, 2, error)
    assert observed.counts() == {("GET", "/", "200", ""): 1}
