"""Transports that are not the library's own: each request is seen once, whoever sends it."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from opentelemetry.instrumentation.httpx import HTTPXClientInstrumentor
from opentelemetry.trace import SpanKind
from starlette.testclient import TestClient

from tests.instrumentation.conftest import Observed
from tests.instrumentation.outbound.conftest import Way, attributes, calls

pytestmark = pytest.mark.anyio


def wrapper(way: Way, inner: Any, send: Any) -> Any:
    """A transport of the user's that hands requests to `inner` by `send`."""
    base = way.library.BaseTransport if way.synchronous else way.library.AsyncBaseTransport

    class Wrapper(base):  # type: ignore[misc, valid-type]
        def handle_request(self, request: Any) -> Any:
            return send(inner.handle_request, request)

        async def handle_async_request(self, request: Any) -> Any:
            return await send(inner.handle_async_request, request)

        def close(self) -> None:
            inner.close()

        async def aclose(self) -> None:
            await inner.aclose()

    return Wrapper()


def own(way: Way) -> Any:
    return way.library.HTTPTransport() if way.synchronous else way.library.AsyncHTTPTransport()


async def test_a_transport_that_answers_by_itself(observed: Observed, way: Way) -> None:
    observed.instrument(FastAPI())
    seen: list[str] = []

    def answer(request: Any) -> Any:
        seen.append(request.headers["traceparent"])
        return way.library.Response(503)

    client = way.client(transport=way.library.MockTransport(answer))
    await way.get("http://payments.internal/charges?token=sesame", client)
    await way.close(client)
    span = observed.span(SpanKind.CLIENT)
    assert attributes(span)["url.full"] == "http://payments.internal/charges"
    assert len(seen) == 1
    assert calls(observed) == {("GET", "503", "503"): 1}


async def test_a_transport_that_fails_by_itself(observed: Observed, way: Way) -> None:
    observed.instrument(FastAPI())

    def fail(request: Any) -> Any:
        raise way.library.ConnectTimeout("too late", request=request)

    client = way.client(transport=way.library.MockTransport(fail))
    with pytest.raises(way.library.ConnectTimeout):
        await way.get("http://payments.internal/", client)
    await way.close(client)
    error_type = f"{way.library.__name__}.ConnectTimeout"
    assert calls(observed) == {("GET", "", error_type): 1}


async def test_a_transport_around_the_librarys_is_seen_once(
    observed: Observed, way: Way, provider: str
) -> None:
    observed.instrument(FastAPI())
    transport = wrapper(way, own(way), lambda handle, request: handle(request))
    client = way.client(transport=transport)
    response = await way.get(f"{provider}/status/200", client)
    await way.close(client)
    span = observed.span(SpanKind.CLIENT)
    assert response.json()["traceparent"].split("-")[2] == f"{span.context.span_id:016x}"
    assert calls(observed) == {("GET", "200", ""): 1}


@pytest.mark.proves("Outbound", "retries as the conventions say")
async def test_each_attempt_of_a_transport_that_retries_is_seen(
    observed: Observed, way: Way, provider: str
) -> None:
    observed.instrument(FastAPI())

    def twice(handle: Any, request: Any) -> Any:
        handle(request).close()
        return handle(request)

    async def twice_async(handle: Any, request: Any) -> Any:
        await (await handle(request)).aclose()
        return await handle(request)

    transport = wrapper(way, own(way), twice if way.synchronous else twice_async)
    client = way.client(transport=transport)
    await way.get(f"{provider}/status/503", client)
    await way.close(client)
    spans = observed.spans(SpanKind.CLIENT)
    resends = [attributes(span).get("http.request.resend_count") for span in spans]
    assert resends == [None, 1]
    assert calls(observed) == {("GET", "503", "503"): 2}


async def test_what_tests_an_application_is_no_call_of_its_own(observed: Observed) -> None:
    app = FastAPI()
    app.get("/")(lambda: None)
    observed.instrument(app)
    TestClient(app).get("/")
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        await client.get("/")
    assert observed.spans(SpanKind.CLIENT) == []
    assert all(span.parent is None for span in observed.spans())
    assert calls(observed) == {}


async def test_one_client_that_the_user_instruments_has_their_spans_alone(
    observed: Observed, provider: str
) -> None:
    theirs = Observed()
    with httpx.Client() as client, httpx.Client() as other:
        HTTPXClientInstrumentor.instrument_client(client, tracer_provider=theirs.provider)
        observed.instrument(FastAPI())
        client.get(f"{provider}/status/200")
        other.get(f"{provider}/status/200")
        HTTPXClientInstrumentor.uninstrument_client(client)
    assert len(theirs.spans(SpanKind.CLIENT)) == 1
    assert len(observed.spans(SpanKind.CLIENT)) == 1
    assert calls(observed) == {("GET", "200", ""): 2}
