"""What a span says."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

import httpx
import pytest
from fastapi import FastAPI
from opentelemetry import propagate
from opentelemetry.propagators.b3 import B3MultiFormat
from opentelemetry.semconv import attributes as conventions
from opentelemetry.trace import SpanKind, StatusCode
from starlette.testclient import TestClient

from tests.instrumentation.conftest import Observed, Serve, wait_until
from tests.instrumentation.servers import hypercorn

TRACE, SPAN = "ab" * 16, "cd" * 8


@pytest.fixture
def app() -> FastAPI:
    app = FastAPI()
    app.get("/ok/{number}")(lambda number: number)

    @app.get("/raises")
    async def raises() -> None:
        raise ZeroDivisionError("by design")

    return app


@pytest.mark.proves("Requests: spans", "exception events with their stack")
def test_the_exception_event_has_the_stack(app: FastAPI, observed: Observed) -> None:
    observed.instrument(app)
    TestClient(app, raise_server_exceptions=False).get("/raises")
    (event,) = observed.span().events
    attributes = event.attributes or {}
    assert event.name == "exception"
    assert attributes["exception.type"] == "ZeroDivisionError"
    assert attributes["exception.message"] == "by design"
    assert "in raises" in str(attributes["exception.stacktrace"])


@pytest.mark.proves("Requests: spans", "semantic conventions 1.44, server")
def test_a_server_span_follows_the_semantic_conventions(
    app: FastAPI, observed: Observed, serve: Serve
) -> None:
    observed.instrument(app)
    base = serve(app)
    httpx.get(f"{base}/ok/1", headers={"user-agent": "test/1"})
    wait_until(observed.spans)
    span = observed.span()
    found = dict(span.attributes or {})
    assert isinstance(found.pop("network.peer.port"), int)
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
    assert (span.name, span.kind) == ("GET /ok/{number}", SpanKind.SERVER)
    assert span.instrumentation_scope is not None
    assert span.instrumentation_scope.schema_url == "https://opentelemetry.io/schemas/1.44.0"


@pytest.mark.proves("Requests: spans", "semantic conventions 1.44, server")
def test_the_protocols_version_is_the_connections(app: FastAPI, observed: Observed) -> None:
    observed.instrument(app)
    with hypercorn(app) as base, httpx.Client(http1=False, http2=True) as client:
        client.get(f"{base}/ok/1")
        wait_until(observed.spans)
    attributes = observed.span().attributes or {}
    assert attributes["network.protocol.version"] == "2"
    assert attributes["server.port"] == urlsplit(base).port


@pytest.mark.proves("Requests: spans", "semantic conventions 1.44, server")
@pytest.mark.parametrize(
    ("base", "address", "port"),
    [
        ("http://orders.test", "orders.test", 80),
        ("https://orders.test", "orders.test", 443),
        ("http://orders.test:8000", "orders.test", 8000),
        ("http://[::1]:8000", "::1", 8000),
    ],
)
def test_the_address_is_the_one_that_was_asked_for(
    app: FastAPI, observed: Observed, base: str, address: str, port: int
) -> None:
    observed.instrument(app)
    TestClient(app, base_url=base).get("/ok/1")
    attributes = observed.span().attributes or {}
    assert (attributes["server.address"], attributes["server.port"]) == (address, port)


@pytest.mark.proves("Requests: spans", "semantic conventions 1.44, server")
def test_a_client_behind_a_proxy_is_not_the_peer(
    app: FastAPI, observed: Observed, serve: Serve
) -> None:
    observed.instrument(app)
    httpx.get(f"{serve(app)}/ok/1", headers={"x-forwarded-for": "192.0.2.1"})
    wait_until(observed.spans)
    attributes = observed.span().attributes or {}
    assert attributes["client.address"] == "192.0.2.1"
    assert "network.peer.address" not in attributes
    assert "network.peer.port" not in attributes


@pytest.mark.proves("Requests: spans", "semantic conventions 1.44, client")
@pytest.mark.parametrize(("path", "status"), [("/ok/1", 200), ("/missing", 404)])
def test_a_client_span_follows_the_semantic_conventions(
    app: FastAPI, observed: Observed, serve: Serve, path: str, status: int
) -> None:
    base = serve(app)
    observed.instrument(FastAPI())
    httpx.get(f"{base}{path}")
    port = urlsplit(base).port
    span = observed.span(SpanKind.CLIENT)
    assert dict(span.attributes or {}) == {
        "http.request.method": "GET",
        "http.response.status_code": status,
        "url.full": f"{base}{path}",
        "server.address": "127.0.0.1",
        "server.port": port,
        "network.peer.address": "127.0.0.1",
        "network.peer.port": port,
        "network.protocol.version": "1.1",
    } | ({} if status < 400 else {"error.type": str(status)})
    assert span.name == "GET"
    assert span.status.status_code is (StatusCode.UNSET if status < 400 else StatusCode.ERROR)


@pytest.mark.proves("Requests: spans", "semantic conventions 1.44, client")
def test_a_client_span_of_a_call_that_failed(observed: Observed) -> None:
    observed.instrument(FastAPI())
    with pytest.raises(httpx.ConnectError):
        httpx.get("http://127.0.0.1:9/")
    span = observed.span(SpanKind.CLIENT)
    assert (span.attributes or {})["error.type"] == "httpx.ConnectError"
    assert span.status.status_code is StatusCode.ERROR
    assert [event.name for event in span.events] == ["exception"]


def test_the_names_are_those_of_the_released_conventions(
    app: FastAPI, observed: Observed, serve: Serve
) -> None:
    observed.instrument(app)
    httpx.get(f"{serve(app)}/raises")
    wait_until(observed.spans)
    known = set(released())
    for span in observed.exporter.get_finished_spans():
        for told in (span.attributes or {}, *(event.attributes or {} for event in span.events)):
            assert set(told) <= known


def released() -> Iterator[str]:
    from importlib import import_module
    from pkgutil import iter_modules

    for module in iter_modules(conventions.__path__):
        names = vars(import_module(f"{conventions.__name__}.{module.name}"))
        yield from (value for value in names.values() if isinstance(value, str))


@pytest.fixture(params=["tracecontext", "b3"])
def propagators(request: pytest.FixtureRequest) -> Iterator[None]:
    before = propagate.get_global_textmap()
    if request.param == "b3":
        propagate.set_global_textmap(B3MultiFormat())
    yield
    propagate.set_global_textmap(before)


@pytest.mark.proves("Requests: spans", "malformed headers never break a request")
@pytest.mark.usefixtures("propagators")
@pytest.mark.parametrize(
    "value",
    ["", "-", "nonsense", "00-zz-zz-zz", f"00-{'0' * 32}-{'0' * 16}-01", f"ff-{TRACE}-{SPAN}-01",
     "ff" * 999, "\u00e9", "\x00", ",,,=;=;", "%%%", "a=b=c;;,=1"],
)  # fmt: skip
def test_a_malformed_header_breaks_nothing(app: FastAPI, observed: Observed, value: str) -> None:
    observed.instrument(app, record_query=True, request_headers=(".*",))
    raw = value.encode("latin-1")
    names = ("traceparent", "tracestate", "baggage", "b3", "x-b3-traceid", "x-b3-spanid",
             "x-b3-sampled", "user-agent", "x-other")  # fmt: skip
    headers = {name.encode(): raw for name in names} | {b"host": b"[::1"}
    assert TestClient(app).get("/ok/1", headers=headers).status_code == 200
    assert observed.counts() == {("GET", "/ok/{number}", "200", ""): 1}
    assert observed.span().parent is None
    assert observed.value("instrumentation_internal_errors_total", part="http") is None


@pytest.mark.proves("Requests: spans", "malformed headers never break a request")
def test_a_wrong_tracestate_leaves_the_parent(app: FastAPI, observed: Observed) -> None:
    observed.instrument(app)
    headers = [
        (b"traceparent", f"00-{TRACE}-{SPAN}-01".encode()),
        (b"tracestate", "=,=,é;".encode("latin-1")),
    ]
    TestClient(app).get("/ok/1", headers=headers)
    assert observed.span().parent is not None
