"""The shared clients, against a server that fails first."""

from __future__ import annotations

import socket
from collections import Counter
from typing import Any

import httpx
import pytest
from fastapi import FastAPI, Request, Response
from opentelemetry.trace import SpanKind

from instrumentation.outbound import RetryPolicy, async_client, client
from tests.instrumentation.conftest import Observed, Serve
from tests.instrumentation.outbound.conftest import Way, attributes, calls

pytestmark = pytest.mark.anyio

FAST = RetryPolicy(backoff=0.001)


def made(way: Way, retries: RetryPolicy = FAST, **options: Any) -> Any:
    make: Any = client if way.synchronous else async_client
    return make(library=way.library, retries=retries, **options)


@pytest.fixture
def flaky(serve: Serve) -> tuple[str, Counter[str]]:
    """A server that answers 503 twice to each path, and what it was asked."""
    asked: Counter[str] = Counter()
    app = FastAPI()

    @app.api_route("/{path:path}", methods=["GET", "POST", "PUT"])
    async def answer(path: str, request: Request) -> Response:
        asked[path] += 1
        body = await request.body()
        return Response(body or b"ok", status_code=200 if asked[path] > 2 else 503)

    return serve(app), asked


@pytest.mark.proves("Outbound", "each attempt is a span and counted")
@pytest.mark.proves("Outbound", "retries as the conventions say")
async def test_each_attempt_is_a_span_and_counted(
    observed: Observed, way: Way, flaky: tuple[str, Counter[str]]
) -> None:
    observed.instrument(FastAPI())
    shared = made(way)
    response = await way.ask(shared, "PUT", f"{flaky[0]}/orders", json={"amount": 1})
    await way.close(shared)
    assert response.status_code == 200
    assert response.json() == {"amount": 1}
    spans = observed.spans(SpanKind.CLIENT)
    assert [attributes(span)["http.response.status_code"] for span in spans] == [503, 503, 200]
    resends = [attributes(span).get("http.request.resend_count") for span in spans]
    assert resends == [None, 1, 2]
    assert calls(observed) == {("PUT", "503", "503"): 2, ("PUT", "200", ""): 1}
    labels = {"server_address": "127.0.0.1", "reason": "503"}
    assert observed.value("http_client_retries_total", **labels) == 2


@pytest.mark.proves("Outbound", "each attempt is a span and counted")
async def test_a_server_that_is_away_is_asked_again(
    observed: Observed, way: Way, closed: str
) -> None:
    observed.instrument(FastAPI())
    shared = made(way)
    with pytest.raises(way.library.ConnectError):
        await way.get(closed, shared)
    await way.close(shared)
    assert len(observed.spans(SpanKind.CLIENT)) == 3
    labels = {"server_address": "127.0.0.1", "reason": f"{way.library.__name__}.ConnectError"}
    assert observed.value("http_client_retries_total", **labels) == 2


@pytest.mark.proves("Outbound", "only idempotent methods are retried by default")
async def test_a_post_is_sent_once(way: Way, flaky: tuple[str, Counter[str]]) -> None:
    shared = made(way)
    response = await way.ask(shared, "POST", f"{flaky[0]}/charges", json={})
    assert response.status_code == 503
    repeatable = {"Idempotency-Key": "order-1"}
    await way.ask(shared, "POST", f"{flaky[0]}/charges", json={}, headers=repeatable)
    await way.close(shared)
    assert flaky[1]["charges"] == 3


async def test_a_streamed_response_is_retried_before_it_is_read(
    way: Way, flaky: tuple[str, Counter[str]]
) -> None:
    shared = made(way)
    request = shared.build_request("GET", f"{flaky[0]}/stream")
    sent = shared.send(request, stream=True)
    response = sent if way.synchronous else await sent
    assert response.status_code == 200
    assert (response.read() if way.synchronous else await response.aread()) == b"ok"
    await way.close(response)
    await way.close(shared)


@pytest.mark.proves("Outbound", "a shared client factory with limits and timeouts")
async def test_a_client_has_limits_and_timeouts(way: Way) -> None:
    shared = made(way, connect_timeout=0.5, read_timeout=4.0, max_connections=7)
    assert shared.timeout.as_dict() == {"connect": 0.5, "read": 4.0, "write": 4.0, "pool": 0.5}
    assert shared._transport._pool._max_connections == 7
    assert isinstance(shared, way.library.Client if way.synchronous else way.library.AsyncClient)
    await way.close(shared)


@pytest.mark.proves("Outbound", "a shared client factory with limits and timeouts")
async def test_a_server_that_accepts_nothing_fails_fast_and_a_slow_answer_does_not(
    way: Way, serve: Serve
) -> None:
    slow = FastAPI()

    @slow.get("/")
    async def answer() -> str:
        import asyncio

        await asyncio.sleep(0.3)
        return "here"

    shared = made(way, RetryPolicy(attempts=1), connect_timeout=0.1)
    assert (await way.get(serve(slow), shared)).json() == "here"
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        address = f"http://127.0.0.1:{full.getsockname()[1]}"
        with (
            socket.create_connection(full.getsockname()),
            pytest.raises(way.library.ConnectTimeout),
        ):
            await way.get(address, shared)
    await way.close(shared)


async def test_options_of_the_library_win(way: Way, provider: str) -> None:
    shared = made(way, base_url=provider, timeout=way.library.Timeout(9), trust_env=False)
    assert (await way.get("/status/200", shared)).status_code == 200
    assert shared.timeout.connect == 9
    await way.close(shared)


async def test_httpx_is_what_a_client_is_made_of() -> None:
    with client() as one:
        assert isinstance(one, httpx.Client)
    async with async_client() as other:
        assert isinstance(other, httpx.AsyncClient)
