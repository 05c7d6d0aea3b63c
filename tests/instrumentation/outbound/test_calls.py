"""One span and one observation an outbound request, through real sockets."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import httpx
import httpx2
import pytest
from fastapi import FastAPI
from opentelemetry.instrumentation.httpx import HTTPX2ClientInstrumentor, HTTPXClientInstrumentor
from opentelemetry.instrumentation.utils import suppress_http_instrumentation
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF
from opentelemetry.trace import SpanKind, StatusCode, format_span_id, format_trace_id
from starlette.testclient import TestClient

from tests.instrumentation.conftest import Observed
from tests.instrumentation.outbound.conftest import Way, attributes, calls

pytestmark = pytest.mark.anyio

INSTRUMENTORS = {"httpx": HTTPXClientInstrumentor, "httpx2": HTTPX2ClientInstrumentor}


@pytest.mark.proves("Outbound", "httpx and httpx2")
@pytest.mark.proves("Outbound", "sync and async")
@pytest.mark.proves("Outbound", "clients made before and after")
@pytest.mark.proves("Requests: spans", "semantic conventions 1.44, client")
@pytest.mark.parametrize("made_before", [True, False])
async def test_a_call_is_traced_and_measured(
    observed: Observed, way: Way, client: Any, provider: str, made_before: bool
) -> None:
    observed.instrument(FastAPI())
    url = f"{provider}/status/200?token=sesame"
    response = await way.get(url, client if made_before else None)
    port = urlsplit(provider).port
    span = observed.span(SpanKind.CLIENT)
    assert span.name == "GET"
    assert attributes(span) == {
        "http.request.method": "GET",
        "url.full": f"{provider}/status/200",
        "server.address": "127.0.0.1",
        "server.port": port,
        "http.response.status_code": 200,
        "network.protocol.version": "1.1",
        "network.peer.address": "127.0.0.1",
        "network.peer.port": port,
    }
    assert span.status.status_code is StatusCode.UNSET
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


async def test_an_error_status_is_an_error(observed: Observed, way: Way, provider: str) -> None:
    observed.instrument(FastAPI())
    await way.get(f"{provider}/status/404")
    span = observed.span(SpanKind.CLIENT)
    assert span.status.status_code is StatusCode.ERROR
    assert attributes(span)["error.type"] == "404"
    assert calls(observed) == {("GET", "404", "404"): 1}


async def test_a_method_of_ones_own_is_told_in_the_span_alone(
    observed: Observed, way: Way, client: Any, provider: str
) -> None:
    observed.instrument(FastAPI())
    await way.ask(client, "PROPFIND", f"{provider}/status/200")
    span = observed.span(SpanKind.CLIENT)
    assert span.name == "HTTP"
    assert attributes(span)["http.request.method"] == "_OTHER"
    assert attributes(span)["http.request.method_original"] == "PROPFIND"
    assert calls(observed) == {("_OTHER", "200", ""): 1}


@pytest.mark.proves("Outbound", "connect and read errors with their error_type")
async def test_a_refused_connection(observed: Observed, way: Way, closed: str) -> None:
    observed.instrument(FastAPI())
    with pytest.raises(way.library.ConnectError):
        await way.get(f"{closed}/?token=sesame")
    span = observed.span(SpanKind.CLIENT)
    assert span.status.status_code is StatusCode.ERROR
    assert [event.name for event in span.events] == ["exception"]
    assert "sesame" not in span.to_json()
    error_type = f"{way.library.__name__}.ConnectError"
    assert attributes(span)["error.type"] == error_type
    assert calls(observed) == {("GET", "", error_type): 1}


@pytest.mark.proves("Outbound", "connect and read errors with their error_type")
async def test_a_server_that_does_not_answer(
    observed: Observed, way: Way, raw: Any, provider: str
) -> None:
    observed.instrument(FastAPI())
    with pytest.raises(way.library.RemoteProtocolError):
        await way.get(raw(b""))
    error_type = f"{way.library.__name__}.RemoteProtocolError"
    assert attributes(observed.span(SpanKind.CLIENT))["error.type"] == error_type
    assert calls(observed) == {("GET", "", error_type): 1}


@pytest.mark.proves("Outbound", "connect and read errors with their error_type")
async def test_an_answer_that_is_late(observed: Observed, way: Way, serve: Any) -> None:
    import asyncio

    late = FastAPI()

    @late.get("/")
    async def answer() -> None:
        await asyncio.sleep(1)

    observed.instrument(FastAPI())
    client = way.client(timeout=0.05)
    with pytest.raises(way.library.ReadTimeout):
        await way.get(serve(late), client)
    await way.close(client)
    error_type = f"{way.library.__name__}.ReadTimeout"
    assert calls(observed) == {("GET", "", error_type): 1}


@pytest.mark.proves("Outbound", "redirects as the conventions say")
async def test_each_redirect_is_a_span_that_counts_the_resends(
    observed: Observed, way: Way, provider: str
) -> None:
    observed.instrument(FastAPI())
    await way.get(f"{provider}/redirect/2", follow_redirects=True)
    spans = observed.spans(SpanKind.CLIENT)
    assert [attributes(span)["url.full"].removeprefix(provider) for span in spans] == [
        "/redirect/2",
        "/redirect/1",
        "/status/200",
    ]
    resends = [attributes(span).get("http.request.resend_count") for span in spans]
    assert resends == [None, 1, 2]
    assert [attributes(span)["http.response.status_code"] for span in spans] == [307, 307, 200]
    assert calls(observed) == {("GET", "307", ""): 2, ("GET", "200", ""): 1}


@pytest.mark.proves("Outbound", "retries as the conventions say")
async def test_a_request_that_is_sent_again_counts_the_resends(
    observed: Observed, way: Way, client: Any, provider: str
) -> None:
    observed.instrument(FastAPI())
    request = client.build_request("GET", f"{provider}/status/503")
    parents = []
    for _ in range(3):
        response = client.send(request) if way.synchronous else await client.send(request)
        parents.append(response.json()["traceparent"])
    spans = observed.spans(SpanKind.CLIENT)
    resends = [attributes(span).get("http.request.resend_count") for span in spans]
    assert resends == [None, 1, 2]
    assert len(set(parents)) == 3, "each attempt tells the server of its own span"


async def test_a_call_belongs_to_the_request_that_makes_it(
    observed: Observed, provider: str
) -> None:
    app, other = FastAPI(), Observed()
    app.get("/")(lambda: httpx.get(f"{provider}/status/200").status_code)
    with other.stack:
        other.instrument(FastAPI())
        observed.instrument(app)
        TestClient(app).get("/")
        assert other.spans(SpanKind.CLIENT) == []
    server, call = observed.span(), observed.span(SpanKind.CLIENT)
    assert call.parent is not None
    assert call.parent.span_id == server.context.span_id


async def test_an_unsampled_call_is_measured_and_passes_the_decision_on(
    way: Way, provider: str
) -> None:
    off = Observed(provider=TracerProvider(sampler=ALWAYS_OFF, shutdown_on_exit=False))
    with off.stack:
        off.instrument(FastAPI())
        response = await way.get(f"{provider}/status/200")
        flags = int(response.json()["traceparent"].split("-")[3], 16)
        assert flags & 1 == 0
        assert calls(off) == {("GET", "200", ""): 1}


async def test_what_is_asked_to_be_left_alone_is_left_alone(
    observed: Observed, way: Way, provider: str
) -> None:
    observed.instrument(FastAPI())
    with suppress_http_instrumentation():
        response = await way.get(f"{provider}/status/200")
    assert response.json()["traceparent"] == ""
    assert observed.spans(SpanKind.CLIENT) == []
    assert calls(observed) == {}


async def test_uninstrument_puts_the_libraries_back(observed: Observed) -> None:
    def functions() -> list[Any]:
        return [
            function
            for library in (httpx, httpx2)
            for function in (
                library.HTTPTransport.handle_request,
                library.AsyncHTTPTransport.handle_async_request,
                library.Client._send_single_request,
                library.AsyncClient._send_single_request,
            )
        ]

    # What another library had covered in an earlier test goes with the next telemetry.
    observed.instrument(FastAPI()).uninstrument()
    before = functions()
    telemetry = observed.instrument(FastAPI())
    assert functions() != before
    telemetry.uninstrument()
    assert functions() == before


@pytest.mark.parametrize("theirs_first", [True, False])
async def test_an_instrumentation_of_the_users_stays(
    observed: Observed, way: Way, provider: str, theirs_first: bool
) -> None:
    """The spans are theirs, whoever came first; the observation is ours."""
    theirs = Observed()
    telemetry = None if theirs_first else observed.instrument(FastAPI())
    INSTRUMENTORS[way.library.__name__]().instrument(tracer_provider=theirs.provider)
    try:
        telemetry = telemetry or observed.instrument(FastAPI())
        await way.get(f"{provider}/status/200")
        assert calls(observed) == {("GET", "200", ""): 1}
        telemetry.uninstrument()
        await way.get(f"{provider}/status/200")
    finally:
        INSTRUMENTORS[way.library.__name__]().uninstrument()
    await way.get(f"{provider}/status/200")
    assert len(theirs.spans(SpanKind.CLIENT)) == 2
    assert observed.spans(SpanKind.CLIENT) == []
    assert calls(observed) == {("GET", "200", ""): 1}


async def test_credentials_in_an_address_are_not_told(
    observed: Observed, way: Way, closed: str
) -> None:
    observed.instrument(FastAPI())
    with pytest.raises(way.library.ConnectError):
        await way.get(closed.replace("//", "//user:hunter2@") + "/path?token=sesame#fragment")
    span = observed.span(SpanKind.CLIENT)
    assert attributes(span)["url.full"] == f"{closed}/path"
    assert not {"hunter2", "sesame"} & set(span.to_json().replace('"', " ").split())


async def test_a_query_is_told_with_its_values_hidden_where_the_user_asks(
    observed: Observed, way: Way, provider: str
) -> None:
    observed.instrument(FastAPI(), record_query=True, query_allowed=("page",))
    await way.get(f"{provider}/status/200?page=2&token=sesame")
    shown = attributes(observed.span(SpanKind.CLIENT))["url.full"]
    assert shown == f"{provider}/status/200?page=2&token=REDACTED"
