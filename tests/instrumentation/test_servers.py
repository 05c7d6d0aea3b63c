"""What the client saw is what is told, on each server that behaves in a way of its own."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from fastapi import FastAPI, HTTPException
from fastapi.responses import FileResponse, StreamingResponse
from starlette.types import Message, Receive, Scope, Send

from tests.instrumentation.conftest import Observed, wait_until
from tests.instrumentation.servers import SERVERS, granian, hypercorn, uvicorn_

LENGTH = 100_000


def service(folder: Path) -> FastAPI:
    app = FastAPI()
    (folder / "file").write_bytes(b"x" * LENGTH)

    @app.api_route("/ok/{number}", methods=["GET", "HEAD", "POST"])
    async def ok(number: int) -> int:
        return number

    @app.get("/raises")
    async def raises() -> None:
        raise ZeroDivisionError

    @app.get("/teapot")
    async def teapot() -> None:
        raise HTTPException(418)

    @app.get("/cancelled")
    async def cancelled() -> None:
        task = asyncio.current_task()
        assert task is not None
        task.cancel()
        await asyncio.sleep(3600)

    @app.get("/stream")
    async def stream(fail: bool = False, forever: bool = False) -> StreamingResponse:
        async def chunks() -> AsyncIterator[bytes]:
            yield b"first"
            if fail:
                raise ZeroDivisionError
            while forever:
                await asyncio.sleep(0.01)
                yield b"more"

        return StreamingResponse(chunks())

    @app.get("/file")
    async def file() -> FileResponse:
        return FileResponse(folder / "file")

    return app


@pytest.fixture(params=SERVERS)
def base(request: pytest.FixtureRequest, observed: Observed, tmp_path: Path) -> Iterator[str]:
    app = service(tmp_path)
    observed.instrument(app)
    with SERVERS[request.param](app) as address:
        yield address


@pytest.mark.proves(
    "Requests: status and duration", "hypercorn or granian where they differ from uvicorn"
)
@pytest.mark.proves("Requests: status and duration", "HEAD")
@pytest.mark.proves("Requests: route", "redirects of trailing slashes")
@pytest.mark.parametrize(
    ("method", "path", "route", "error_type"),
    [
        ("GET", "/ok/1", "/ok/{number}", ""),
        ("HEAD", "/ok/1", "/ok/{number}", ""),
        ("POST", "/ok/1", "/ok/{number}", ""),
        ("GET", "/ok/x", "/ok/{number}", ""),
        ("GET", "/ok/1/", "unmatched", ""),
        ("GET", "/made/up", "unmatched", ""),
        ("GET", "/teapot", "/teapot", ""),
        ("GET", "/stream", "/stream", ""),
        ("GET", "/file", "/file", ""),
        ("GET", "/raises", "/raises", "ZeroDivisionError"),
        ("GET", "/cancelled", "/cancelled", "asyncio.exceptions.CancelledError"),
    ],
)
def test_the_status_is_the_one_that_the_client_got(
    base: str, observed: Observed, method: str, path: str, route: str, error_type: str
) -> None:
    status = str(httpx.request(method, base + path).status_code)
    wait_until(observed.spans)
    assert observed.counts() == {(method, route, status, error_type): 1}


@pytest.mark.proves("Requests: status and duration", "a response that raises midway")
def test_a_response_that_raises_midway_keeps_its_status(base: str, observed: Observed) -> None:
    with pytest.raises(httpx.RemoteProtocolError):
        httpx.get(f"{base}/stream?fail=true")
    wait_until(observed.spans)
    assert observed.counts() == {("GET", "/stream", "200", "ZeroDivisionError"): 1}
    assert [event.name for event in observed.span().events] == ["exception"]


@pytest.mark.proves(
    "Requests: status and duration",
    "a client that leaves in the middle of a stream is counted as aborted",
)
@pytest.mark.proves(
    "Requests: status and duration",
    "the status of an aborted response as far as it was sent, its span marked",
)
def test_a_client_that_leaves_midway_is_told_alike(base: str, observed: Observed) -> None:
    with httpx.stream("GET", f"{base}/stream?forever=true") as response:
        next(response.iter_raw())
    wait_until(observed.spans)
    assert observed.counts() == {("GET", "/stream", "200", ""): 1}
    assert observed.value("http_server_aborted_requests_total", http_route="/stream") == 1
    assert (observed.span().attributes or {})["http.response.aborted"] is True
    assert observed.value("http_server_active_requests", http_request_method="GET") == 0


@pytest.mark.proves("Requests: status and duration", "FileResponse (pathsend)")
def test_a_file_that_the_server_sends_itself(observed: Observed, tmp_path: Path) -> None:
    app = service(tmp_path)
    sent = []

    class Watching:
        def __init__(self, app: Any) -> None:
            self.app = app

        async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
            async def watched(message: Message) -> None:
                sent.append(message["type"])
                await send(message)

            await self.app(scope, receive, watched)

    app.add_middleware(Watching)
    observed.instrument(app)
    with granian(app) as base:
        assert len(httpx.get(f"{base}/file").content) == LENGTH
        wait_until(observed.spans)
    assert "http.response.pathsend" in sent
    assert observed.counts() == {("GET", "/file", "200", ""): 1}
    assert observed.value("http_server_aborted_requests_total", http_route="/file") is None


def http2(base: str, path: str, **headers: str) -> httpx.Response:
    with httpx.Client(http1=False, http2=True) as client:
        return client.get(base + path, headers=headers)


@pytest.mark.proves("Requests: status and duration", "trailers")
@pytest.mark.parametrize("asked", [{}, {"te": "trailers"}])
def test_a_response_ends_with_its_trailers(observed: Observed, asked: dict[str, str]) -> None:
    app = FastAPI()
    released = threading.Event()

    async def endpoint(scope: Scope, receive: Receive, send: Send) -> None:
        assert "http.response.trailers" in scope["extensions"]
        await send({"type": "http.response.start", "status": 206, "headers": [], "trailers": True})
        await send({"type": "http.response.body", "body": b"all of it"})
        await asyncio.to_thread(released.wait, 10)
        await send(
            {"type": "http.response.trailers", "headers": [(b"a", b"1")], "more_trailers": True}
        )
        await send({"type": "http.response.trailers", "headers": [(b"checksum", b"1")]})

    app.mount("/trailers", endpoint)
    observed.instrument(app)
    with hypercorn(app) as base, ExitStack() as stack:
        stack.callback(released.set)
        thread = threading.Thread(target=http2, args=(base, "/trailers/x"), kwargs=asked)
        thread.start()
        stack.callback(thread.join)
        wait_until(lambda: observed.value("http_server_active_requests", http_request_method="GET"))
        assert observed.counts() == {}
        released.set()
        wait_until(observed.spans)
    assert observed.counts() == {("GET", "/trailers/{path}", "206", ""): 1}
    assert (observed.span().attributes or {})["network.protocol.version"] == "2"


@pytest.mark.proves("Requests: status and duration", "1xx")
def test_early_hints_are_not_the_response(observed: Observed) -> None:
    app = FastAPI()

    async def endpoint(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.early_hint", "links": [b"</style.css>; rel=preload"]})
        await send({"type": "http.response.start", "status": 202, "headers": []})
        await send({"type": "http.response.body"})

    app.mount("/hints", endpoint)
    observed.instrument(app)
    with hypercorn(app) as base:
        assert http2(base, "/hints/x").status_code == 202
        wait_until(observed.spans)
    assert observed.counts() == {("GET", "/hints/{path}", "202", ""): 1}


@pytest.mark.proves("Requests: status and duration", "1xx")
def test_a_server_that_says_continue_has_not_answered(observed: Observed, tmp_path: Path) -> None:
    app = FastAPI()

    @app.post("/body", status_code=201)
    async def body(given: dict[str, int]) -> None: ...

    observed.instrument(app)
    with uvicorn_(app) as base:
        address = urlsplit(base)
        with socket.create_connection((address.hostname, address.port)) as client:
            client.sendall(
                b"POST /body HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n"
                b"content-length: 2\r\nexpect: 100-continue\r\n\r\n"
            )
            assert client.recv(1024).startswith(b"HTTP/1.1 100")
            client.sendall(b"{}")
            assert client.recv(1024).startswith(b"HTTP/1.1 201")
        wait_until(observed.spans)
    assert observed.counts() == {("POST", "/body", "201", ""): 1}


@pytest.mark.proves("Requests: status and duration", "a timeout or a cancellation by the server")
def test_a_server_that_stops_cancels_what_takes_too_long(observed: Observed) -> None:
    app, started = FastAPI(), threading.Event()

    @app.get("/slow")
    async def slow() -> None:
        started.set()
        await asyncio.sleep(3600)

    observed.instrument(app)
    answers: list[int] = []

    def ask(base: str) -> None:
        answers.append(httpx.get(f"{base}/slow", timeout=30).status_code)

    with uvicorn_(app, timeout_graceful_shutdown=0) as base:
        thread = threading.Thread(target=ask, args=(base,))
        thread.start()
        started.wait(10)
    thread.join()
    wait_until(observed.spans)
    assert answers == [500]
    assert observed.counts() == {("GET", "/slow", "500", "asyncio.exceptions.CancelledError"): 1}
    assert observed.value("http_server_active_requests", http_request_method="GET") == 0
