"""One span and one observation an outbound request, through real sockets."""

from __future__ import annotations

import socket
import subprocess
import sys
import textwrap
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from fastapi import FastAPI, Header
from opentelemetry.instrumentation.httpx import HTTPXClientInstrumentor
from opentelemetry.trace import SpanKind, StatusCode, format_span_id, format_trace_id
from starlette.testclient import TestClient

from tests.instrumentation.conftest import Observed, Serve

REPOSITORY = Path(__file__).parents[2]


@pytest.fixture
def provider(serve: Serve) -> str:
    app = FastAPI()

    @app.get("/{status}")
    def answer(status: int, traceparent: str = Header("")) -> dict[str, str]:
        return {"traceparent": traceparent}

    return serve(app)


@pytest.fixture
def closed() -> str:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return f"http://127.0.0.1:{listener.getsockname()[1]}"


@pytest.mark.anyio
@pytest.mark.parametrize("synchronous", [True, False])
async def test_a_call_is_traced_and_measured(
    observed: Observed, provider: str, synchronous: bool
) -> None:
    early_sync, early_async = httpx.Client(), httpx.AsyncClient()
    observed.instrument(FastAPI())
    url = f"{provider}/200?token=sesame"
    with early_sync:
        async with early_async:
            response = early_sync.get(url) if synchronous else await early_async.get(url)
    port = urlsplit(provider).port
    span = observed.span(SpanKind.CLIENT)
    assert span.name == "GET"
    attributes = dict(span.attributes or {})
    assert attributes["http.request.method"] == "GET"
    assert attributes["url.full"] == f"{provider}/200"
    assert attributes["server.address"] == "127.0.0.1"
    assert attributes["server.port"] == port
    assert attributes["http.response.status_code"] == 200
    assert "sesame" not in span.to_json()
    sent = response.json()["traceparent"].split("-")
    assert sent[1:3] == [
        format_trace_id(span.context.trace_id),
        format_span_id(span.context.span_id),
    ]
    labels = {
        "http_request_method": "GET",
        "server_address": "127.0.0.1",
        "server_port": str(port),
        "http_response_status_code": "200",
        "error_type": "",
    }
    assert observed.value("http_client_request_duration_seconds_count", **labels) == 1


@pytest.mark.parametrize("path", ["/missing/path"])
def test_an_error_status_is_an_error(observed: Observed, provider: str, path: str) -> None:
    observed.instrument(FastAPI())
    httpx.get(provider + path)
    assert observed.span(SpanKind.CLIENT).status.status_code is StatusCode.ERROR
    labels = {"http_response_status_code": "404", "error_type": "404"}
    assert observed.value("http_client_request_duration_seconds_count", **labels) == 1


def test_a_refused_connection_is_measured_too(observed: Observed, closed: str) -> None:
    observed.instrument(FastAPI())
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{closed}/?token=sesame")
    span = observed.span(SpanKind.CLIENT)
    assert span.status.status_code is StatusCode.ERROR
    assert [event.name for event in span.events] == ["exception"]
    assert "sesame" not in span.to_json()
    labels = {"http_response_status_code": "", "error_type": "httpx.ConnectError"}
    assert observed.value("http_client_request_duration_seconds_count", **labels) == 1


def test_a_call_belongs_to_the_request_that_makes_it(observed: Observed, provider: str) -> None:
    app, other = FastAPI(), Observed()
    app.get("/")(lambda: httpx.get(f"{provider}/200").status_code)
    with other.stack:
        other.instrument(FastAPI())
        observed.instrument(app)
        TestClient(app).get("/")
        assert other.spans(SpanKind.CLIENT) == []
    server, call = observed.span(), observed.span(SpanKind.CLIENT)
    assert call.parent is not None
    assert call.parent.span_id == server.context.span_id


def test_uninstrument_unwraps_httpx(observed: Observed, provider: str) -> None:
    before = httpx.HTTPTransport.handle_request, httpx.AsyncHTTPTransport.handle_async_request
    observed.instrument(FastAPI()).uninstrument()
    after = httpx.HTTPTransport.handle_request, httpx.AsyncHTTPTransport.handle_async_request
    assert after == before


def test_an_instrumentation_of_the_users_stays(observed: Observed, provider: str) -> None:
    theirs = Observed()
    HTTPXClientInstrumentor().instrument(tracer_provider=theirs.provider)
    try:
        telemetry = observed.instrument(FastAPI())
        httpx.get(f"{provider}/200")
        telemetry.uninstrument()
        httpx.get(f"{provider}/200")
    finally:
        HTTPXClientInstrumentor().uninstrument()
    assert len(theirs.spans(SpanKind.CLIENT)) == 2
    assert observed.spans(SpanKind.CLIENT) == []


def test_an_earlier_instrumentation_changes_neither_names_nor_secrecy() -> None:
    """In a process of its own: whoever is first in it fixes the names for all others."""
    code = """
        from fastapi import FastAPI
        from opentelemetry.instrumentation.fastapi import FastAPIInstrumentor
        from tests.instrumentation.conftest import Observed
        from opentelemetry.trace import SpanKind
        import httpx

        FastAPIInstrumentor.instrument_app(FastAPI())
        observed = Observed()
        observed.instrument(FastAPI())
        try:
            httpx.get("http://user:hunter2@127.0.0.1:1/path?token=sesame")
        except httpx.ConnectError:
            pass
        span = observed.span(SpanKind.CLIENT)
        assert "http.url" in span.attributes, "the names are not the old ones here"
        assert span.attributes["url.full"] == "http://127.0.0.1:1/path"
        assert span.attributes["http.request.method"] == "GET"
        assert "sesame" not in span.to_json() and "hunter2" not in span.to_json()
    """
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", textwrap.dedent(code)],
        capture_output=True,
        text=True,
        check=False,
        cwd=REPOSITORY,
    )
    assert done.returncode == 0, done.stderr
