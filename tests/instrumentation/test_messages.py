"""What the messages of an application tell, valid ones and others, and those of the lifespan."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest
import uvicorn
from fastapi import FastAPI
from opentelemetry.trace import StatusCode
from starlette.applications import Starlette
from starlette.routing import Mount
from starlette.testclient import TestClient
from starlette.types import Message, Receive, Scope, Send

from instrumentation import Telemetry
from tests.instrumentation.conftest import Observed


def raw(*messages: Message, error: BaseException | None = None) -> Starlette:
    """An application below `/raw` that sends these messages, then returns or raises."""

    async def endpoint(scope: Scope, receive: Receive, send: Send) -> None:
        for message in messages:
            await send(message)
        if error is not None:
            raise error

    return Starlette(routes=[Mount("/raw", app=endpoint)])


def start(status: int, **more: Any) -> Message:
    return {"type": "http.response.start", "status": status, "headers": [], **more}


BODY: Message = {"type": "http.response.body", "body": b"x"}
MORE: Message = {"type": "http.response.body", "body": b"x", "more_body": True}


async def run(app: Any, path: str) -> None:
    """Call `app` as a lenient server would, which takes every message."""

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None: ...

    scope = {"type": "http", "method": "GET", "path": path, "query_string": b"", "headers": []}
    with suppress(Exception):
        await app(scope, receive, send)


@pytest.mark.parametrize(
    ("app", "status", "error_type"),
    [
        (raw(start(200), BODY), "200", ""),
        (raw(start(204), {"type": "http.response.body"}), "204", ""),
        (raw(), "500", "500"),
        (raw(error=ValueError()), "500", "ValueError"),
        (raw(start(200)), "200", "incomplete_response"),
        (raw(start(200), MORE), "200", "incomplete_response"),
        (raw(start(200), MORE, error=ValueError()), "200", "ValueError"),
        (raw(start(200), BODY, error=ValueError()), "200", ""),
        (raw(start(503), BODY, error=ValueError()), "503", "503"),
        (raw(start(103), start(200), BODY), "200", ""),
        (raw(start(103)), "500", "500"),
        (raw(start(103), error=ValueError()), "500", "ValueError"),
        (raw(start(200), {"type": "http.response.zerocopysend", "file": 0}), "200", ""),
        (raw(start(200), {"type": "http.response.zerocopysend", "file": 0, "more_body": True}),
         "200", "incomplete_response"),
        (raw(start(200), {"type": "http.response.pathsend", "path": "/x"}), "200", ""),
        (raw(start(200, trailers=True), BODY), "200", "incomplete_response"),
        (raw(start(200, trailers=True), BODY, {"type": "http.response.trailers", "headers": []}),
         "200", ""),
    ],
)  # fmt: skip
def test_the_messages_tell_what_became_of_it(
    observed: Observed, app: Starlette, status: str, error_type: str
) -> None:
    app.middleware_stack = None  # the parameter is made once for every run of this test
    observed.instrument(app)
    asyncio.run(run(app, "/raw/x"))
    assert observed.counts() == {("GET", "/raw/{path}", status, error_type): 1}
    failed = bool(error_type)
    assert observed.span().status.status_code is (StatusCode.ERROR if failed else StatusCode.UNSET)
    assert observed.value("http_server_active_requests", http_request_method="GET") == 0


class LifespanError(Exception):
    """The lifespan's own."""


def failing(at: str) -> FastAPI:
    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        if at == "startup":
            raise LifespanError
        yield
        raise LifespanError

    app = FastAPI(lifespan=lifespan)
    app.get("/")(lambda: "ok")
    return app


def stops(telemetry: Telemetry) -> list[str]:
    told: list[str] = []
    telemetry.on_start(lambda: told.append("start"))
    telemetry.on_stop(lambda: told.append("stop"))
    return told


@pytest.mark.proves("Requests: status and duration", "failures of the lifespan")
@pytest.mark.parametrize("at", ["startup", "shutdown"])
def test_a_lifespan_that_fails_fails_as_before(observed: Observed, at: str) -> None:
    app = failing(at)
    told = stops(observed.instrument(app))
    with pytest.raises(LifespanError), TestClient(app) as client:
        client.get("/")
    assert told == ["start", "stop"]
    assert len(observed.spans()) == (0 if at == "startup" else 1)


@pytest.mark.proves("Requests: status and duration", "failures of the lifespan")
def test_a_server_whose_application_fails_to_start_exits(observed: Observed) -> None:
    app = failing("startup")
    told = stops(observed.instrument(app))
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="critical"))
    with suppress(SystemExit):  # it leaves by it since 0.30
        server.run()
    assert not server.started
    assert told == ["start", "stop"]


@pytest.mark.proves("Requests: status and duration", "failures of the lifespan")
def test_an_application_without_a_lifespan_is_observed(observed: Observed) -> None:
    app = failing("startup")
    told = stops(observed.instrument(app))
    TestClient(app).get("/")  # not entered: no lifespan messages are sent
    assert told == ["start"]
    assert observed.counts() == {("GET", "/", "200", ""): 1}


@pytest.mark.proves("Requests: status and duration", "a timeout or a cancellation by the server")
@pytest.mark.parametrize("streaming", [False, True])
def test_a_cancelled_request_is_told_once(observed: Observed, streaming: bool) -> None:
    """As a server does that gives up: whatever was sent by then counts."""
    app = raw(*([start(200), MORE] if streaming else []), error=asyncio.CancelledError())
    observed.instrument(app)
    with pytest.raises(asyncio.CancelledError):
        asyncio.run(run(app, "/raw/x"))
    status, error_type = "200" if streaming else "500", "asyncio.exceptions.CancelledError"
    assert observed.counts() == {("GET", "/raw/{path}", status, error_type): 1}
    assert observed.span().status.status_code is StatusCode.ERROR


@pytest.mark.proves("Requests: status and duration", "a timeout or a cancellation by the server")
def test_a_timeout_of_a_middleware(observed: Observed) -> None:
    class Bound:
        def __init__(self, app: Any) -> None:
            self.app = app

        async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
            try:
                async with asyncio.timeout(0.01):
                    await self.app(scope, receive, send)
            except TimeoutError:
                await send(start(504))
                await send(BODY)

    app = FastAPI()

    @app.get("/slow")
    async def slow() -> None:
        await asyncio.sleep(3600)

    app.add_middleware(Bound)
    observed.instrument(app)
    assert TestClient(app).get("/slow").status_code == 504
    assert observed.counts() == {("GET", "/slow", "504", "asyncio.exceptions.CancelledError"): 1}
