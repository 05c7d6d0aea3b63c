"""Both libraries, synchronous and asynchronous, against real servers."""

from __future__ import annotations

import socket
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import httpx2
import pytest
from fastapi import FastAPI, Header, Request, Response
from fastapi.responses import RedirectResponse, StreamingResponse
from opentelemetry.sdk.trace import ReadableSpan

from tests.instrumentation.conftest import Observed
from tests.instrumentation.servers import uvicorn_


@dataclass(frozen=True)
class Way:
    """One of the libraries, asked in one of its two ways."""

    library: Any
    synchronous: bool

    def client(self, **options: Any) -> Any:
        return (self.library.Client if self.synchronous else self.library.AsyncClient)(**options)

    async def close(self, client: Any) -> None:
        if self.synchronous:
            client.close()
        else:
            await client.aclose()

    async def ask(self, client: Any, method: str, url: str, **options: Any) -> Any:
        made = client.request(method, url, **options)
        return made if self.synchronous else await made

    async def get(self, url: str, client: Any = None, **options: Any) -> Any:
        used = self.client() if client is None else client
        try:
            return await self.ask(used, "GET", url, **options)
        finally:
            if client is None:
                await self.close(used)


@pytest.fixture(params=["httpx", "httpx-async", "httpx2", "httpx2-async"])
def way(request: pytest.FixtureRequest) -> Way:
    name, _, kind = request.param.partition("-")
    return Way({"httpx": httpx, "httpx2": httpx2}[name], synchronous=not kind)


@pytest.fixture(scope="module")
def provider() -> Iterator[str]:
    """A service that answers as it is asked to."""
    app = FastAPI()

    @app.api_route("/status/{status}", methods=["GET", "POST", "PROPFIND"])
    def answer(status: int, response: Response, traceparent: str = Header("")) -> dict[str, str]:
        response.status_code = status
        return {"traceparent": traceparent}

    @app.get("/redirect/{times}")
    def redirect(times: int) -> RedirectResponse:
        return RedirectResponse(f"/redirect/{times - 1}" if times > 1 else "/status/200")

    @app.get("/stream")
    def stream() -> StreamingResponse:
        return StreamingResponse(b"x" * 1000 for _ in range(100))

    @app.post("/echo")
    async def echo(request: Request) -> Response:
        return Response(await request.body())

    with uvicorn_(app) as address:
        yield address


@pytest.fixture
def closed() -> str:
    """An address at which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return f"http://127.0.0.1:{listener.getsockname()[1]}"


@pytest.fixture
def raw() -> Iterator[Callable[[bytes], str]]:
    """Servers that send these bytes to whoever connects, and close."""
    with ExitStack() as stack:
        yield lambda answer: stack.enter_context(_sending(answer))


@contextmanager
def _sending(answer: bytes) -> Iterator[str]:
    listener = socket.create_server(("127.0.0.1", 0))

    def work() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection:
                connection.recv(65536)
                connection.sendall(answer)

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join()


@pytest.fixture
async def client(way: Way) -> AsyncIterator[Any]:
    """A client that was made before anything is observed."""
    made = way.client()
    yield made
    await way.close(made)


def attributes(span: ReadableSpan) -> dict[str, Any]:
    return dict(span.attributes or {})


def calls(observed: Observed) -> dict[tuple[str, str, str], float]:
    """Outbound requests by method, status and error type."""
    return {
        (
            sample.labels["http_request_method"],
            sample.labels["http_response_status_code"],
            sample.labels["error_type"],
        ): sample.value
        for family in observed.registry.collect()
        for sample in family.samples
        if sample.name == "http_client_request_duration_seconds_count"
    }
