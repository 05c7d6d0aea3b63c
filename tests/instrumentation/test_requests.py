"""One span and one observation a request, whatever becomes of it."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import AsyncIterator
from urllib.parse import urlsplit

import httpx
import pytest
from fastapi import BackgroundTasks, FastAPI, HTTPException, Request
from fastapi.responses import JSONResponse, StreamingResponse
from opentelemetry import trace
from opentelemetry.trace import StatusCode
from starlette.middleware.base import BaseHTTPMiddleware, RequestResponseEndpoint
from starlette.responses import Response
from starlette.testclient import TestClient

from instrumentation.http.exchange import Exchange
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


def test_the_exception_event_has_the_stack(app: FastAPI, observed: Observed) -> None:
    observed.instrument(app)
    TestClient(app, raise_server_exceptions=False).get("/raises")
    (event,) = observed.span().events
    attributes = event.attributes or {}
    assert attributes["exception.type"] == "ZeroDivisionError"
    assert attributes["exception.message"] == "by design"
    assert "in raises" in str(attributes["exception.stacktrace"])


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


def test_the_query_string_is_in_no_attribute(app: FastAPI, observed: Observed) -> None:
    observed.instrument(app)
    TestClient(app).get("/ok/1?token=sesame")
    assert "sesame" not in observed.span().to_json()


def test_attributes_follow_the_semantic_conventions(
    app: FastAPI, observed: Observed, serve: Serve
) -> None:
    observed.instrument(app)
    base = serve(app)
    httpx.get(f"{base}/ok/1", headers={"user-agent": "test/1"})
    wait_until(observed.spans)
    found = dict(observed.span().attributes or {})
    peer_port = found.pop("network.peer.port")
    assert isinstance(peer_port, int)
    assert found == {
        "http.request.method": "GET",
        "http.response.status_code": 200,
        "http.route": "/ok/{number}",
        "url.path": "/ok/1",
        "url.scheme": "http",
        "server.address": "127.0.0.1",
        "server.port": urlsplit(base).port,
        "client.address": "127.0.0.1",
        "network.peer.address": "127.0.0.1",
        "network.protocol.version": "1.1",
        "user_agent.original": "test/1",
    }


def test_the_callers_trace_goes_on(app: FastAPI, observed: Observed) -> None:
    observed.instrument(app)
    headers = {"traceparent": f"00-{'ab' * 16}-{'cd' * 8}-01"}
    TestClient(app).get("/ok/1", headers=headers)
    span = observed.span()
    assert span.parent is not None
    assert trace.format_trace_id(span.context.trace_id) == "ab" * 16
    assert trace.format_span_id(span.parent.span_id) == "cd" * 8


@pytest.mark.parametrize("value", ["", "nonsense", "00-zz-zz-zz", "ff" * 999, "\u00e9"])
def test_a_malformed_header_breaks_nothing(app: FastAPI, observed: Observed, value: str) -> None:
    observed.instrument(app)
    headers = {b"traceparent": value.encode("latin-1"), b"baggage": b"%%%", b"host": b"[::1"}
    assert TestClient(app).get("/ok/1", headers=headers).status_code == 200
    assert observed.counts() == {("GET", "/ok/{number}", "200", ""): 1}
    assert observed.span().parent is None


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


def test_a_client_that_leaves_midway_is_counted_as_aborted(
    app: FastAPI, observed: Observed, serve: Serve
) -> None:
    observed.instrument(app)
    address = urlsplit(serve(app))
    with socket.create_connection((address.hostname, address.port)) as client:
        client.sendall(b"GET /stream?forever=true HTTP/1.1\r\nhost: x\r\n\r\n")
        assert client.recv(1024).startswith(b"HTTP/1.1 200")
    wait_until(observed.spans)
    assert observed.counts() == {("GET", "/stream", "200", ""): 1}
    assert observed.value("http_server_aborted_requests_total", http_route="/stream") == 1
    assert (observed.span().attributes or {})["http.response.aborted"] is True


def test_a_finished_request_is_not_aborted(app: FastAPI, observed: Observed, serve: Serve) -> None:
    observed.instrument(app)
    base = serve(app)
    for _ in range(5):
        httpx.get(f"{base}/stream")
    wait_until(lambda: len(observed.spans()) == 5)
    assert observed.value("http_server_aborted_requests_total", http_route="/stream") is None


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/livez", "/health"])
def test_health_checks_are_left_out(app: FastAPI, observed: Observed, path: str) -> None:
    app.get(path)(lambda: "ok")
    observed.instrument(app)
    assert TestClient(app).get(path).status_code == 200
    assert observed.counts() == {}
    assert observed.spans() == []


def test_excluded_urls_are_regular_expressions(app: FastAPI, observed: Observed) -> None:
    observed.instrument(app, excluded_urls=("ok/[0-4]$",))
    client = TestClient(app)
    client.get("/ok/3")
    client.get("/ok/5?next=/ok/3")
    assert [(span.attributes or {})["url.path"] for span in observed.spans()] == ["/ok/5"]


def test_an_error_of_ours_never_reaches_the_client(
    app: FastAPI, observed: Observed, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*args: object) -> None:
        raise RuntimeError("ours")

    observed.instrument(app)
    monkeypatch.setattr(Exchange, "_write", fail)
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
