"""One span and one observation a request, whatever becomes of it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator

import httpx
import pytest
from fastapi import BackgroundTasks, FastAPI, HTTPException, Request
from fastapi.responses import JSONResponse, StreamingResponse
from opentelemetry.trace import StatusCode
from starlette.middleware.base import BaseHTTPMiddleware, RequestResponseEndpoint
from starlette.responses import Response
from starlette.testclient import TestClient

from instrumentation.http.routes import Track
from tests.instrumentation.conftest import Observed, Serve, wait_until


class HandledError(Exception):
    """Has a handler."""


@pytest.fixture
def app() -> FastAPI:
    app = FastAPI()
    released = threading.Event()
    app.state.released = released

    @app.get("/ok/{number}")
    async def ok(number: int) -> int:
        return number

    @app.get("/raises")
    async def raises() -> None:
        raise ZeroDivisionError("by design")

    @app.get("/unavailable")
    async def unavailable() -> None:
        raise HTTPException(503)

    @app.get("/handled")
    async def handled() -> None:
        raise HandledError

    @app.exception_handler(HandledError)
    async def handle(request: Request, error: Exception) -> JSONResponse:
        return JSONResponse({}, 409)

    @app.get("/stream")
    async def stream(fail: bool = False, forever: bool = False) -> StreamingResponse:
        async def chunks() -> AsyncIterator[bytes]:
            yield b"first"
            if fail:
                raise ZeroDivisionError("midway")
            while forever:
                await asyncio.sleep(0.01)
                yield b"more"

        return StreamingResponse(chunks())

    @app.get("/later")
    async def later(tasks: BackgroundTasks) -> None:
        tasks.add_task(released.wait, 10)

    return app


@pytest.mark.proves("Requests: status and duration", "exceptions with a handler and without")
@pytest.mark.proves("Requests: status and duration", "HTTPException")
@pytest.mark.proves("Requests: status and duration", "validation errors (422)")
@pytest.mark.proves("Requests: status and duration", "StreamingResponse")
@pytest.mark.proves("Requests: spans", "5xx is an error, 4xx is not")
@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/ok/1", ("GET", "/ok/{number}", "200", "")),
        ("/ok/x", ("GET", "/ok/{number}", "422", "")),
        ("/raises", ("GET", "/raises", "500", "ZeroDivisionError")),
        ("/unavailable", ("GET", "/unavailable", "503", "503")),
        ("/handled", ("GET", "/handled", "409", "")),
        ("/stream", ("GET", "/stream", "200", "")),
        ("/stream?fail=true", ("GET", "/stream", "200", "ZeroDivisionError")),
    ],
)
def test_status_and_error_are_what_happened(
    app: FastAPI, observed: Observed, path: str, expected: tuple[str, str, str, str]
) -> None:
    observed.instrument(app)
    TestClient(app, raise_server_exceptions=False).get(path)
    assert observed.counts() == {expected: 1}
    span = observed.span()
    failed = expected[3] != ""
    assert span.status.status_code is (StatusCode.ERROR if failed else StatusCode.UNSET)
    assert (span.attributes or {}).get("error.type", "") == expected[3]
    events = [event.name for event in span.events]
    assert events == (["exception"] if "ZeroDivision" in expected[3] else [])
    assert observed.value("http_server_active_requests", http_request_method="GET") == 0


def test_an_exception_of_a_middleware_is_seen(app: FastAPI, observed: Observed) -> None:
    async def dispatch(request: Request, call_next: RequestResponseEndpoint) -> Response:
        raise ZeroDivisionError

    app.add_middleware(BaseHTTPMiddleware, dispatch=dispatch)
    observed.instrument(app)
    TestClient(app, raise_server_exceptions=False).get("/ok/1")
    assert observed.counts() == {("GET", "unmatched", "500", "ZeroDivisionError"): 1}
    assert [event.name for event in observed.span().events] == ["exception"]


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/ok/1", ("GET", "/ok/{number}", "200", "")),
        ("/raises", ("GET", "/raises", "500", "ZeroDivisionError")),
        ("/stream?fail=true", ("GET", "/stream", "200", "ZeroDivisionError")),
    ],
)
def test_base_http_middleware_changes_nothing(
    app: FastAPI, observed: Observed, path: str, expected: tuple[str, str, str, str]
) -> None:
    async def dispatch(request: Request, call_next: RequestResponseEndpoint) -> Response:
        return await call_next(request)

    app.add_middleware(BaseHTTPMiddleware, dispatch=dispatch)
    observed.instrument(app)
    TestClient(app, raise_server_exceptions=False).get(path)
    assert observed.counts() == {expected: 1}


@pytest.mark.proves(
    "Requests: status and duration", "background tasks are outside the request's duration"
)
def test_background_tasks_are_outside_the_duration(
    app: FastAPI, observed: Observed, serve: Serve
) -> None:
    observed.instrument(app)
    try:
        httpx.get(f"{serve(app)}/later")
        # The task still runs, and the request is over already.
        wait_until(observed.spans)
        assert observed.counts() == {("GET", "/later", "200", ""): 1}
        assert not app.state.released.is_set()
    finally:
        app.state.released.set()


def test_a_finished_request_is_not_aborted(app: FastAPI, observed: Observed, serve: Serve) -> None:
    observed.instrument(app)
    base = serve(app)
    for _ in range(5):
        httpx.get(f"{base}/stream")
    wait_until(lambda: len(observed.spans()) == 5)
    assert observed.value("http_server_aborted_requests_total", http_route="/stream") is None


def test_an_error_of_ours_never_reaches_the_client(
    app: FastAPI, observed: Observed, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*args: object) -> None:
        raise RuntimeError("ours")

    observed.instrument(app)
    monkeypatch.setattr(Track, "settle", fail)
    assert TestClient(app).get("/ok/1").status_code == 200
    assert observed.value("instrumentation_internal_errors_total", part="http") == 1


def test_what_a_background_task_raises_is_not_the_requests_error(
    app: FastAPI, observed: Observed
) -> None:
    def fail() -> None:
        raise ZeroDivisionError("later")

    @app.get("/busy")
    async def busy(tasks: BackgroundTasks, response: Response) -> None:
        tasks.add_task(fail)
        response.status_code = 503

    observed.instrument(app)
    TestClient(app, raise_server_exceptions=False).get("/busy")
    assert observed.counts() == {("GET", "/busy", "503", "503"): 1}
