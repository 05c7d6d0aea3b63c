"""Bodies that are streamed, broken off, given up or forgotten."""

from __future__ import annotations

import asyncio
import gc
import threading
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from fastapi import FastAPI
from opentelemetry.trace import SpanKind, StatusCode

from instrumentation import histogram
from tests.instrumentation.conftest import Observed
from tests.instrumentation.outbound.conftest import Way, attributes, calls

pytestmark = pytest.mark.anyio

BROKEN_OFF = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf of it"


async def send(way: Way, client: Any, url: str) -> Any:
    """A response of which nothing but the headers was read."""
    request = client.build_request("GET", url)
    sent = client.send(request, stream=True)
    return sent if way.synchronous else await sent


@pytest.mark.proves("Outbound", "streaming bodies")
async def test_a_streamed_response_is_reported_when_it_was_read(
    observed: Observed, way: Way, client: Any, provider: str
) -> None:
    observed.instrument(FastAPI())
    response = await send(way, client, f"{provider}/stream")
    assert calls(observed) == {}
    if way.synchronous:
        size = sum(len(part) for part in response.iter_raw())
    else:
        size = sum([len(part) async for part in response.aiter_raw()])
    assert size == 100_000
    assert calls(observed) == {("GET", "200", ""): 1}
    assert observed.span(SpanKind.CLIENT).status.status_code is StatusCode.UNSET
    await way.close(response)
    assert calls(observed) == {("GET", "200", ""): 1}


@pytest.mark.proves("Outbound", "streaming bodies")
async def test_a_response_that_is_given_up_is_no_error(
    observed: Observed, way: Way, client: Any, provider: str
) -> None:
    observed.instrument(FastAPI())
    response = await send(way, client, f"{provider}/stream")
    if way.synchronous:
        next(response.iter_raw())
        response.close()
    else:
        await anext(response.aiter_raw())
        await response.aclose()
    assert calls(observed) == {("GET", "200", ""): 1}
    assert observed.span(SpanKind.CLIENT).status.status_code is StatusCode.UNSET


@pytest.mark.proves("Outbound", "streaming bodies")
@pytest.mark.proves("Outbound", "connect and read errors with their error_type")
async def test_a_body_that_breaks_off_is_an_error(
    observed: Observed, way: Way, client: Any, raw: Any
) -> None:
    observed.instrument(FastAPI())
    with pytest.raises(way.library.RemoteProtocolError):
        await way.get(raw(BROKEN_OFF), client)
    error_type = f"{way.library.__name__}.RemoteProtocolError"
    assert calls(observed) == {("GET", "200", error_type): 1}
    span = observed.span(SpanKind.CLIENT)
    assert span.status.status_code is StatusCode.ERROR
    assert attributes(span)["error.type"] == error_type
    assert attributes(span)["http.response.status_code"] == 200
    assert [event.name for event in span.events] == ["exception"]


async def test_a_response_that_is_forgotten_is_reported_when_it_is_collected(
    observed: Observed, way: Way, provider: str
) -> None:
    observed.instrument(FastAPI())
    forgetful = way.client()
    response = await send(way, forgetful, f"{provider}/status/200")
    assert response.status_code == 200
    del response
    gc.collect()
    assert calls(observed) == {("GET", "200", ""): 1}
    await way.close(forgetful)


async def test_a_response_that_is_collected_in_the_middle_of_our_own_work(
    observed: Observed, way: Way, provider: str
) -> None:
    """The collector runs whenever something is made, also while a lock of a metric is held."""
    observed.instrument(FastAPI())
    forgetful = way.client()
    response = await send(way, forgetful, f"{provider}/status/200")
    kept = [response]
    del response

    def collect() -> None:
        with histogram._opening:
            kept.clear()
            gc.collect()

    thread = threading.Thread(target=collect, daemon=True)
    thread.start()
    await asyncio.to_thread(thread.join, 20)
    assert not thread.is_alive()
    assert calls(observed) == {("GET", "200", ""): 1}
    await way.close(forgetful)


@pytest.mark.proves("Outbound", "streaming bodies")
async def test_a_request_whose_body_is_streamed(
    observed: Observed, way: Way, client: Any, provider: str
) -> None:
    observed.instrument(FastAPI())

    def parts() -> Iterator[bytes]:
        yield from (b"one ", b"two")

    async def parts_async() -> AsyncIterator[bytes]:
        for part in parts():
            yield part

    body = parts() if way.synchronous else parts_async()
    response = await way.ask(client, "POST", f"{provider}/echo", content=body)
    assert response.content == b"one two"
    assert response.elapsed.total_seconds() > 0
    assert calls(observed) == {("POST", "200", ""): 1}
