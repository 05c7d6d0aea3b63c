"""Tasks that a request creates are seen to their end, and belong to the request's trace."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx
import pytest
import tenacity
from fastapi import FastAPI
from opentelemetry.trace import StatusCode
from starlette.applications import Starlette
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from tests.instrumentation.background_work import (
    active,
    fail,
    is_linked,
    outcomes,
    send_mail,
    works,
)
from tests.instrumentation.conftest import Observed, Serve, wait_until


def creating(start: Callable[[], Any]) -> Starlette:
    kept: set[Any] = set()

    async def endpoint(request: Request) -> Response:
        kept.add(start())
        return PlainTextResponse("done")

    return Starlette(routes=[Route("/", endpoint)])


@pytest.mark.proves("Background work", "asyncio.create_task: a span linked to the request's trace")
@pytest.mark.parametrize(
    "start",
    [
        lambda: asyncio.create_task(send_mail("ann")),
        lambda: asyncio.ensure_future(send_mail("ann")),
        lambda: asyncio.get_running_loop().create_task(send_mail("ann")),
    ],
    ids=["create_task", "ensure_future", "loop.create_task"],
)
def test_a_created_task_is_a_span_linked_to_its_request(
    observed: Observed, serve: Serve, start: Callable[[], Any]
) -> None:
    app = creating(start)
    observed.instrument(app)
    httpx.get(serve(app))
    wait_until(lambda: works(observed))
    (work,) = works(observed)
    assert work.name == "background send_mail"
    assert is_linked(work, observed.span())
    assert outcomes(observed) == {("send_mail", "ok"): 1}
    assert active(observed) == 0


def test_a_task_that_a_sync_endpoint_wants_is_seen(observed: Observed, serve: Serve) -> None:
    app = FastAPI()
    loops: list[asyncio.AbstractEventLoop] = []

    @app.get("/")
    def endpoint() -> None:
        asyncio.run_coroutine_threadsafe(send_mail("ann"), loops[0])

    @app.middleware("http")
    async def note_the_loop(request: Request, call_next: Any) -> Response:
        loops.append(asyncio.get_running_loop())
        response: Response = await call_next(request)
        return response

    observed.instrument(app)
    httpx.get(serve(app))
    wait_until(lambda: works(observed))
    assert outcomes(observed) == {("send_mail", "ok"): 1}


def test_what_a_task_asks_of_others_is_a_child_of_its_span(
    observed: Observed, serve: Serve
) -> None:
    async def nested() -> None:
        kept.add(asyncio.create_task(send_mail("ann")))

    kept: set[Any] = set()
    app = creating(lambda: asyncio.create_task(nested()))
    observed.instrument(app)
    httpx.get(serve(app))
    wait_until(lambda: len(works(observed)) == 2)
    outer, inner = sorted(works(observed), key=lambda span: span.start_time or 0)
    assert inner.parent == outer.get_span_context()
    assert is_linked(inner, observed.span())


def test_a_task_that_fails_is_an_error_and_asyncio_still_logs_it(
    observed: Observed, serve: Serve, caplog: pytest.LogCaptureFixture
) -> None:
    def forgotten() -> None:
        asyncio.create_task(fail())  # noqa: RUF006 - nobody keeps it: that is the case

    app = creating(forgotten)
    observed.instrument(app)
    httpx.get(serve(app))
    wait_until(lambda: works(observed))
    assert outcomes(observed) == {("fail", "error"): 1}
    (work,) = works(observed)
    assert [event.name for event in work.events] == ["exception"]
    wait_until(lambda: "Task exception was never retrieved" in caplog.text)


def test_a_task_that_the_application_cancels_is_neither_lost_nor_an_error(
    observed: Observed, serve: Serve
) -> None:
    async def forever() -> None:
        await asyncio.Event().wait()

    def start_and_cancel() -> Any:
        task = asyncio.create_task(forever())
        asyncio.get_running_loop().call_later(0.01, task.cancel)
        return task

    app = creating(start_and_cancel)
    observed.instrument(app)
    httpx.get(serve(app))
    wait_until(lambda: works(observed))
    assert outcomes(observed) == {("forever", "cancelled"): 1}
    assert works(observed)[0].status.status_code is StatusCode.UNSET


def test_tasks_that_a_request_waits_for_or_that_others_make_are_not_background_work(
    observed: Observed, serve: Serve
) -> None:
    async def part() -> None:
        await asyncio.sleep(0)

    async def endpoint(request: Request) -> Response:
        await asyncio.gather(part(), part())
        await asyncio.wait_for(part(), 10)
        # A library's coroutine is no work of the application's.
        await asyncio.create_task(asyncio.sleep(0))

        async def body() -> Any:
            yield b"a"

        return StreamingResponse(body())

    async def through(request: Request, call_next: Any) -> Response:
        response: Response = await call_next(request)
        return response

    app = Starlette(routes=[Route("/", endpoint)])
    app.add_middleware(BaseHTTPMiddleware, dispatch=through)
    observed.instrument(app)
    assert httpx.get(serve(app)).text == "a"
    wait_until(observed.spans)
    assert works(observed) == []
    assert outcomes(observed) == {}


def test_the_next_request_of_a_pipeline_is_not_background_work_of_the_one_before(
    observed: Observed, serve: Serve
) -> None:
    """The server starts it in the context of the request whose response has just ended."""

    async def endpoint(request: Request) -> Response:
        return PlainTextResponse("done")

    app = Starlette(routes=[Route("/", endpoint)])
    observed.instrument(app)
    url = httpx.URL(serve(app))
    request = b"GET / HTTP/1.1\r\nHost: test\r\n\r\n"
    with socket.create_connection((url.host, url.port or 0)) as connection:
        connection.sendall(request * 3)
        wait_until(lambda: len(observed.spans()) == 3)
    assert works(observed) == []


def test_a_decorated_coroutine_function_counts_by_the_name_of_what_it_wraps(
    observed: Observed, serve: Serve
) -> None:
    retried = tenacity.retry(stop=tenacity.stop_after_attempt(2))(send_mail)
    app = creating(lambda: asyncio.create_task(retried("ann")))
    observed.instrument(app)
    httpx.get(serve(app))
    wait_until(lambda: works(observed))
    assert outcomes(observed) == {("send_mail", "ok"): 1}


def test_tasks_of_an_excluded_request_are_not_observed(observed: Observed, serve: Serve) -> None:
    ended = threading.Event()

    async def work() -> None:
        ended.set()

    app = creating(lambda: asyncio.create_task(work()))
    observed.instrument(app, excluded_urls=(".",))
    httpx.get(serve(app))
    assert ended.wait(10)
    assert works(observed) == []


def test_a_task_of_a_group_that_outlives_the_request_is_seen(
    observed: Observed, serve: Serve
) -> None:
    @contextlib.asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with asyncio.TaskGroup() as app.state.group:
            yield

    app = FastAPI(lifespan=lifespan)

    @app.get("/")
    async def endpoint() -> None:
        app.state.group.create_task(send_mail("ann"))

    observed.instrument(app)
    httpx.get(serve(app))
    wait_until(lambda: works(observed))
    assert is_linked(works(observed)[0], observed.span())
    assert outcomes(observed) == {("send_mail", "ok"): 1}


def test_the_application_s_own_task_factory_stays_in_force_when_its_lifespan_sets_it(
    observed: Observed, serve: Serve
) -> None:
    made: list[str] = []

    def factory(loop: Any, coro: Any, **kwargs: Any) -> Any:
        made.append(coro.__qualname__)
        return asyncio.Task(coro, loop=loop, **kwargs)

    @contextlib.asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        asyncio.get_running_loop().set_task_factory(factory)
        yield

    app = FastAPI(lifespan=lifespan)
    kept: set[Any] = set()

    @app.get("/")
    async def endpoint() -> None:
        kept.add(asyncio.create_task(send_mail("ann")))

    observed.instrument(app)
    httpx.get(serve(app))
    wait_until(lambda: works(observed))
    assert "send_mail" in made
    assert outcomes(observed) == {("send_mail", "ok"): 1}
