"""Applications of unusual shapes: whatever they do, one request is one observation."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
from fastapi import APIRouter, Depends, FastAPI, Request, Response
from fastapi.routing import APIRoute
from starlette.applications import Starlette
from starlette.endpoints import HTTPEndpoint
from starlette.middleware.base import BaseHTTPMiddleware, RequestResponseEndpoint
from starlette.middleware.gzip import GZipMiddleware
from starlette.responses import JSONResponse, PlainTextResponse, StreamingResponse
from starlette.routing import Mount, Route
from starlette.testclient import TestClient
from starlette.types import Message, Receive, Scope, Send

from tests.instrumentation.conftest import Observed, Serve, wait_until


@pytest.fixture
def app() -> FastAPI:
    return FastAPI()


def ask(app: Any, path: str, method: str = "GET") -> int:
    client = TestClient(app, raise_server_exceptions=False)
    return int(client.request(method, path, follow_redirects=False).status_code)


async def passes_on(request: Request, call_next: RequestResponseEndpoint) -> Response:
    return await call_next(request)


async def swallows(request: Request, call_next: RequestResponseEndpoint) -> Response:
    try:
        return await call_next(request)
    except Exception:
        return JSONResponse({}, 502)


@pytest.mark.parametrize(
    ("dispatch", "status"), [(passes_on, "500"), (swallows, "502")], ids=["passes", "swallows"]
)
def test_an_error_is_told_whoever_answers_for_it(
    app: FastAPI, observed: Observed, dispatch: Any, status: str
) -> None:
    @app.get("/")
    async def fails() -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(asyncio.sleep(0))
            raise ZeroDivisionError

    app.add_middleware(BaseHTTPMiddleware, dispatch=dispatch)
    app.add_middleware(GZipMiddleware)
    observed.instrument(app)
    ask(app, "/")
    assert observed.counts() == {("GET", "/", status, "ExceptionGroup"): 1}
    (event,) = observed.span().events
    assert "ZeroDivisionError" in str((event.attributes or {})["exception.stacktrace"])


@pytest.mark.parametrize("middlewares", [0, 1, 3])
def test_a_stream_that_breaks_off_is_an_error_however_many_middlewares_end_it_properly(
    app: FastAPI, observed: Observed, middlewares: int
) -> None:
    @app.get("/")
    async def stream() -> StreamingResponse:
        async def chunks() -> AsyncIterator[bytes]:
            yield b"first"
            raise ZeroDivisionError

        return StreamingResponse(chunks())

    for _ in range(middlewares):
        app.add_middleware(BaseHTTPMiddleware, dispatch=passes_on)
    observed.instrument(app)

    async def newer(scope: Scope, receive: Receive, send: Send) -> None:
        """From version 2.4 on, nobody waits for a disconnect beside the stream: it ends earlier."""
        await app({**scope, "asgi": {"version": "3.0", "spec_version": "2.4"}}, receive, send)

    ask(newer, "/")
    assert observed.counts() == {("GET", "/", "200", "ZeroDivisionError"): 1}
    assert [event.name for event in observed.span().events] == ["exception"]


@pytest.mark.parametrize("middlewares", [0, 1, 3])
def test_an_error_that_a_middleware_answers_for_with_less_than_500_is_none(
    app: FastAPI, observed: Observed, middlewares: int
) -> None:
    async def conflict(request: Request, call_next: RequestResponseEndpoint) -> Response:
        try:
            return await call_next(request)
        except ZeroDivisionError:
            return PlainTextResponse("no", 409)

    @app.get("/")
    async def fails() -> None:
        raise ZeroDivisionError

    app.add_middleware(BaseHTTPMiddleware, dispatch=conflict)
    for _ in range(middlewares):
        app.add_middleware(BaseHTTPMiddleware, dispatch=passes_on)
    observed.instrument(app)
    assert ask(app, "/") == 409
    assert observed.counts() == {("GET", "/", "409", ""): 1}
    assert observed.span().events == ()


def test_a_compressed_stream_behind_many_middlewares(
    app: FastAPI, observed: Observed, serve: Serve
) -> None:
    @app.get("/")
    async def stream() -> StreamingResponse:
        return StreamingResponse(iter([b"a" * 1000] * 20))

    app.add_middleware(GZipMiddleware)
    for _ in range(3):
        app.add_middleware(BaseHTTPMiddleware, dispatch=passes_on)
    observed.instrument(app)
    assert len(httpx.get(serve(app)).content) == 20_000
    wait_until(observed.spans)
    assert observed.counts() == {("GET", "/", "200", ""): 1}
    assert observed.value("http_server_aborted_requests_total", http_route="/") is None


class Endpoint(HTTPEndpoint):
    async def get(self, request: Request) -> Response:
        return PlainTextResponse("ok")


class Timed(APIRoute):
    def get_route_handler(self) -> Callable[[Request], Awaitable[Response]]:  # type: ignore[override]
        original = super().get_route_handler()

        async def handler(request: Request) -> Response:
            response: Response = await original(request)
            response.headers["x-timed"] = "1"
            return response

        return handler


async def in_a_thread(scope: Scope, receive: Receive, send: Send) -> None:
    """Answers from another thread, as what wraps a WSGI application does."""
    loop = asyncio.get_running_loop()
    start = {"type": "http.response.start", "status": 202, "headers": []}
    more = {"type": "http.response.body", "body": b"x", "more_body": True}
    last = {"type": "http.response.body"}

    async def answer(message: Message) -> None:
        await send(message)

    def work() -> None:
        for message in (start, more, last):
            asyncio.run_coroutine_threadsafe(answer(message), loop).result(10)

    await asyncio.to_thread(work)


@pytest.fixture
def varied(app: FastAPI) -> FastAPI:
    def session() -> Iterator[str]:
        yield "session"

    def unwilling() -> Iterator[str]:
        yield "session"
        raise ZeroDivisionError

    router = APIRouter(prefix="/timed", route_class=Timed)
    router.get("/{name}")(lambda name: name)
    app.include_router(router)
    app.get("/session", dependencies=[Depends(session)])(lambda: "ok")
    app.get("/unwilling", dependencies=[Depends(unwilling)])(lambda: "ok")
    app.router.routes.append(Route("/class/{name}", Endpoint))
    app.mount("/wsgi", in_a_thread)
    child = FastAPI()

    @child.exception_handler(KeyError)
    async def missing(request: Request, error: Exception) -> JSONResponse:
        return JSONResponse({}, 404)

    @child.get("/handled")
    async def handled() -> None:
        raise KeyError

    @child.get("/fails")
    async def fails() -> None:
        raise ZeroDivisionError

    @child.exception_handler(LookupError)
    async def busy(request: Request, error: Exception) -> JSONResponse:
        return JSONResponse({}, 503)

    @child.get("/busy")
    async def is_busy() -> None:
        raise LookupError

    app.mount("/child/{tenant}", child)
    app.mount("/apps", Starlette(routes=[Mount("/inner", routes=[Route("/{name}", Endpoint)])]))
    return app


@pytest.mark.parametrize(
    ("method", "path", "expected"),
    [
        ("GET", "/timed/bob", ("/timed/{name}", "200", "")),
        ("GET", "/session", ("/session", "200", "")),
        ("GET", "/class/bob", ("/class/{name}", "200", "")),
        ("POST", "/class/bob", ("/class/{name}", "405", "")),
        ("GET", "/wsgi/any/path", ("/wsgi/{path}", "202", "")),
        ("GET", "/child/acme/handled", ("/child/{tenant}/handled", "404", "")),
        ("GET", "/child/acme/fails", ("/child/{tenant}/fails", "500", "ZeroDivisionError")),
        ("GET", "/apps/inner/bob", ("/apps/inner/{name}", "200", "")),
        ("GET", "/apps", ("unmatched", "307", "")),
        ("GET", "/timed/bob/", ("unmatched", "307", "")),
        ("OPTIONS", "/session", ("/session", "405", "")),
        ("HEAD", "/class/bob", ("/class/{name}", "200", "")),
        ("HEAD", "/session", ("/session", "405", "")),
        ("GET", "/child/acme/busy", ("/child/{tenant}/busy", "503", "LookupError")),
    ],
)
def test_every_kind_of_route(
    varied: FastAPI, observed: Observed, method: str, path: str, expected: tuple[str, str, str]
) -> None:
    observed.instrument(varied)
    ask(varied, path, method)
    assert observed.counts() == {(method, *expected): 1}


def test_what_a_dependency_raises_on_its_way_out_is_no_status(
    varied: FastAPI, observed: Observed
) -> None:
    observed.instrument(varied)
    answer = ask(varied, "/unwilling")
    ((_, route, status, _),) = observed.counts()
    assert (route, status) == ("/unwilling", str(answer))


def test_the_state_of_the_lifespan_arrives(observed: Observed) -> None:
    async def lifespan(app: FastAPI) -> AsyncIterator[dict[str, int]]:
        yield {"answer": 42}

    app = FastAPI(lifespan=asynccontextmanager(lifespan))
    app.get("/")(state)
    observed.instrument(app)
    with TestClient(app) as client:
        assert client.get("/").json() == 42
    assert observed.counts() == {("GET", "/", "200", ""): 1}


def state(request: Request) -> int:
    answer: int = request.state.answer
    return answer
