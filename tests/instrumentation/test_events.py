"""Server-sent events: the request lasts as long as its last event, or its listener."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator

import httpx
import pytest
from fastapi import FastAPI
from fastapi.sse import EventSourceResponse

from tests.instrumentation.conftest import Observed, Serve, wait_until


@pytest.fixture
def app() -> FastAPI:
    return FastAPI()


@pytest.mark.proves("Requests: status and duration", "server-sent events")
def test_server_sent_events_end_with_the_last_event(
    app: FastAPI, observed: Observed, serve: Serve
) -> None:
    released = threading.Event()

    @app.get("/events", response_class=EventSourceResponse)
    async def events() -> AsyncIterator[dict[str, int]]:
        yield {"number": 1}
        await asyncio.to_thread(released.wait, 10)
        yield {"number": 2}

    observed.instrument(app)
    with httpx.stream("GET", f"{serve(app)}/events") as response:
        lines = response.iter_lines()
        assert next(lines) == 'data: {"number":1}'
        assert observed.counts() == {}
        released.set()
        assert 'data: {"number":2}' in list(lines)
    wait_until(observed.spans)
    assert observed.counts() == {("GET", "/events", "200", ""): 1}
    assert observed.value("http_server_aborted_requests_total", http_route="/events") is None


@pytest.mark.proves("Requests: status and duration", "server-sent events")
def test_a_listener_that_leaves_is_an_abort(app: FastAPI, observed: Observed, serve: Serve) -> None:
    @app.get("/events", response_class=EventSourceResponse)
    async def events() -> AsyncIterator[dict[str, int]]:
        while True:
            yield {"number": 1}
            await asyncio.sleep(0.01)

    observed.instrument(app)
    with httpx.stream("GET", f"{serve(app)}/events") as response:
        next(response.iter_lines())
    wait_until(observed.spans)
    assert observed.counts() == {("GET", "/events", "200", ""): 1}
    assert observed.value("http_server_aborted_requests_total", http_route="/events") == 1
