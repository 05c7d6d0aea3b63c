"""Who blocks the event loop is found, wherever in a request the code runs."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from fastapi import BackgroundTasks, Depends, FastAPI, Request
from starlette.middleware.base import BaseHTTPMiddleware, RequestResponseEndpoint
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from tests.instrumentation.conftest import Observed, wait_until
from tests.instrumentation.loop.conftest import BLOCK_SECONDS, Told, attribute, line

Run = Callable[[Any], str]


async def sleeps() -> None:
    time.sleep(BLOCK_SECONDS)


async def computes() -> None:
    end = time.thread_time() + BLOCK_SECONDS
    while time.thread_time() < end:
        pass


async def keeps_the_lock() -> None:
    for _ in range(3):
        sorted(range(1_500_000), key=int.__neg__)


async def runs_a_program() -> None:
    subprocess.run([sys.executable, "-c", f"import time; time.sleep({BLOCK_SECONDS})"])


async def in_a_task() -> None:
    await asyncio.create_task(sleeps())


async def in_a_group() -> None:
    async with asyncio.TaskGroup() as group:
        group.create_task(sleeps())


async def in_the_background(tasks: BackgroundTasks) -> None:
    tasks.add_task(sleeps)


async def in_a_bare_callback() -> None:
    asyncio.get_running_loop().call_soon(bare)


def bare() -> None:
    time.sleep(BLOCK_SECONDS)


async def pass_on(request: Request, call_next: RequestResponseEndpoint) -> Response:
    return await call_next(request)


class SleepingMiddleware:
    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            time.sleep(BLOCK_SECONDS)
        await self.app(scope, receive, send)


def ok() -> None: ...


@pytest.mark.parametrize("layered", [False, True])
@pytest.mark.parametrize(
    ("endpoint", "culprit", "text", "by"),
    [
        (sleeps, sleeps, "time.sleep", "wait"),
        (computes, computes, "while time", "cpu"),
        (keeps_the_lock, keeps_the_lock, "sorted(", "cpu"),
        (runs_a_program, runs_a_program, "subprocess.run", "wait"),
        (in_a_task, sleeps, "time.sleep", "wait"),
        (in_a_group, sleeps, "time.sleep", "wait"),
        (in_the_background, sleeps, "time.sleep", "wait"),
    ],
)
def test_the_line_and_the_route_are_named(
    observed: Observed,
    told: Told,
    run: Run,
    layered: bool,
    endpoint: Callable[..., Any],
    culprit: Callable[..., Any],
    text: str,
    by: str,
) -> None:
    app = FastAPI()
    app.get("/of/{name}")(endpoint)
    if layered:
        app.add_middleware(BaseHTTPMiddleware, dispatch=pass_on)
    observed.instrument(app)
    url = f"{run(app)}/of/somebody"
    span = told.provoke(lambda: httpx.get(url, timeout=30), "/of/{name}", line(culprit, text))
    server = observed.spans()[-1]
    assert span.parent is not None
    assert span.parent.span_id == server.context.span_id
    assert attribute(span, "event_loop.blocked.by") == by
    assert f"in {culprit.__name__}\n    " in attribute(span, "code.stacktrace")
    assert attribute(span, "http.route") == "/of/{name}"
    assert observed.value("asyncio_event_loop_blocked_seconds_count", http_route="/of/{name}")


def test_both_the_users_line_and_the_librarys_are_in_the_stack(
    observed: Observed, told: Told, run: Run
) -> None:
    app = FastAPI()
    app.get("/program")(runs_a_program)
    observed.instrument(app)
    url = f"{run(app)}/program"
    span = told.provoke(
        lambda: httpx.get(url, timeout=30), "/program", line(runs_a_program, "subprocess.run")
    )
    stack = str(attribute(span, "code.stacktrace"))
    assert stack.index("in runs_a_program") < stack.index("subprocess.py")


def test_a_dependency_is_named(observed: Observed, told: Told, run: Run) -> None:
    app = FastAPI(dependencies=[Depends(sleeps)])
    app.get("/dependent")(ok)
    observed.instrument(app)
    url = f"{run(app)}/dependent"
    told.provoke(lambda: httpx.get(url, timeout=30), "/dependent", line(sleeps, "time.sleep"))


def test_a_middleware_is_named_with_the_route_that_came_later(
    observed: Observed, told: Told, run: Run
) -> None:
    app = FastAPI()
    app.get("/late/{number}")(ok)
    app.add_middleware(SleepingMiddleware)
    observed.instrument(app)
    url = f"{run(app)}/late/1"
    told.provoke(
        lambda: httpx.get(url, timeout=30),
        "/late/{number}",
        line(SleepingMiddleware.__call__, "time.sleep"),
    )


def test_code_outside_of_any_request_has_no_route(observed: Observed, told: Told, run: Run) -> None:
    app = FastAPI()
    app.get("/bare")(in_a_bare_callback)
    observed.instrument(app)
    url = f"{run(app)}/bare"
    span = told.provoke(lambda: httpx.get(url, timeout=30), "", line(bare, "time.sleep"))
    assert span.parent is None


def test_the_span_tells_when_it_was(observed: Observed, told: Told, run: Run) -> None:
    times: list[int] = []

    async def marks() -> None:
        times[:] = [time.time_ns()]
        time.sleep(BLOCK_SECONDS)
        times.append(time.time_ns())

    app = FastAPI()
    app.get("/marked")(marks)
    observed.instrument(app)
    url = f"{run(app)}/marked"
    span = told.provoke(lambda: httpx.get(url, timeout=30), "/marked", line(marks, "time.sleep"))
    began, ended = times
    middle = (began + ended) // 2
    assert span.start_time is not None
    assert span.end_time is not None
    assert span.start_time < middle < span.end_time
    overlap = min(ended, span.end_time) - max(began, span.start_time)
    assert overlap >= 0.9 * (ended - began)


def test_a_victim_says_how_long_it_waited(observed: Observed, told: Told, run: Run) -> None:
    app = FastAPI()

    async def waits() -> None:
        started.set()
        await asyncio.sleep(BLOCK_SECONDS / 4)

    async def blocks() -> None:
        await started.wait()
        time.sleep(BLOCK_SECONDS)

    started = asyncio.Event()
    app.get("/waits")(waits)
    app.get("/blocks")(blocks)
    observed.instrument(app)
    base = run(app)

    async def both() -> None:
        async with httpx.AsyncClient() as client:
            await asyncio.gather(client.get(f"{base}/blocks"), client.get(f"{base}/waits"))

    asyncio.run(both())
    wait_until(lambda: len(observed.spans()) == 2)
    victim, culprit = sorted(observed.spans(), key=lambda span: "blocks" in span.name)
    assert attribute(victim, "event_loop.waited_seconds") >= BLOCK_SECONDS / 2
    assert attribute(victim, "event_loop.blocked_seconds") is None
    assert attribute(culprit, "event_loop.blocked_seconds") >= BLOCK_SECONDS / 2
    assert attribute(culprit, "event_loop.waited_seconds") is None
