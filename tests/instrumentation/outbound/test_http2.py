"""HTTP/2, to a real hypercorn without TLS (prior knowledge)."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Iterator

import pytest
from fastapi import FastAPI
from hypercorn.asyncio import serve
from hypercorn.config import Config
from opentelemetry.trace import SpanKind

from tests.instrumentation.conftest import Observed, wait_until
from tests.instrumentation.outbound.conftest import Way, attributes, calls

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module")
def hypercorn() -> Iterator[str]:
    app = FastAPI()
    app.get("/")(lambda: "x" * 100_000)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    config = Config()
    config.bind = [f"127.0.0.1:{port}"]
    config.accesslog = config.errorlog = None
    stop = threading.Event()

    async def until_stopped() -> None:
        while not stop.is_set():
            await asyncio.sleep(0.01)

    def run() -> None:
        asyncio.run(serve(app, config, shutdown_trigger=until_stopped))  # type: ignore[arg-type]

    def listens() -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", port)) == 0

    thread = threading.Thread(target=run)
    thread.start()
    wait_until(listens)
    yield f"http://127.0.0.1:{port}"
    stop.set()
    thread.join()


@pytest.mark.proves("Outbound", "HTTP/2")
async def test_many_calls_over_one_connection_are_told_apart(
    observed: Observed, way: Way, hypercorn: str
) -> None:
    observed.instrument(FastAPI())
    client = way.client(http1=False, http2=True)
    if way.synchronous:
        answers = [await way.get(hypercorn, client) for _ in range(5)]
    else:
        answers = await asyncio.gather(*(way.get(hypercorn, client) for _ in range(5)))
    await way.close(client)
    assert {answer.http_version for answer in answers} == {"HTTP/2"}
    spans = observed.spans(SpanKind.CLIENT)
    assert {attributes(span)["network.protocol.version"] for span in spans} == {"2"}
    assert len({span.context.span_id for span in spans}) == 5
    assert calls(observed) == {("GET", "200", ""): 5}
