"""Work that a response leaves behind is seen to its end, and belongs to the request's trace."""

from __future__ import annotations

import asyncio
import threading
import time
from functools import partial
from typing import Any

import httpx
import pytest
from fastapi import BackgroundTasks, FastAPI
from opentelemetry.trace import StatusCode
from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.background import BackgroundTasks as StarletteBackgroundTasks
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
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


def leave_behind(background: BackgroundTask) -> Starlette:
    async def endpoint(request: Request) -> Response:
        return PlainTextResponse("done", background=background)

    return Starlette(routes=[Route("/", endpoint)])


def write_file() -> None:
    assert threading.current_thread() is not threading.main_thread()


@pytest.mark.proves("Background work", "BackgroundTasks: a span linked to the request's trace")
@pytest.mark.parametrize("function", [partial(send_mail, "ann"), write_file])
def test_a_background_task_is_a_span_linked_to_its_request(
    observed: Observed, serve: Serve, function: Any
) -> None:
    app = FastAPI()

    @app.get("/")
    async def endpoint(tasks: BackgroundTasks) -> None:
        tasks.add_task(function)

    observed.instrument(app)
    httpx.get(serve(app))
    wait_until(lambda: works(observed))
    (work,) = works(observed)
    called = getattr(function, "func", function)
    module, name = called.__module__, called.__qualname__
    assert work.name == f"background {name}"
    assert is_linked(work, observed.span())
    assert work.parent == observed.span().get_span_context()
    assert work.attributes is not None
    assert work.attributes["code.function.name"] == f"{module}.{name}"
    assert work.status.status_code is StatusCode.UNSET


@pytest.mark.proves("Background work", "duration, outcome and active count")
def test_duration_outcome_and_active_count_of_background_tasks(
    observed: Observed, serve: Serve
) -> None:
    began, go = threading.Event(), threading.Event()
    inside: list[float] = []

    def wait_for_it() -> None:
        at = time.perf_counter()
        began.set()
        go.wait(10)
        inside.append(time.perf_counter() - at)

    tasks = StarletteBackgroundTasks([BackgroundTask(wait_for_it), BackgroundTask(send_mail, "b")])
    app = leave_behind(tasks)
    observed.instrument(app)
    url = serve(app)
    with httpx.Client() as client:
        assert client.get(url).text == "done"
        assert began.wait(10)
        assert active(observed) == 1
        assert outcomes(observed) == {}
        go.set()
        wait_until(lambda: len(works(observed)) == 2)
    assert outcomes(observed) == {("wait_for_it", "ok"): 1, ("send_mail", "ok"): 1}
    assert active(observed) == 0
    name = wait_for_it.__qualname__
    seconds = observed.value("background_task_duration_seconds_sum", task=name, outcome="ok")
    assert seconds is not None
    assert seconds >= inside[0] > 0


class Counted(StarletteBackgroundTasks):
    """A user's own, which leaves the work to the class above."""

    async def __call__(self) -> None:
        await super().__call__()


@pytest.mark.proves("Background work", "duration, outcome and active count")
@pytest.mark.parametrize("kind", [StarletteBackgroundTasks, BackgroundTasks, Counted])
def test_a_background_task_that_fails_is_an_error_and_those_behind_it_are_lost(
    observed: Observed, serve: Serve, kind: type[StarletteBackgroundTasks]
) -> None:
    tasks = kind([BackgroundTask(fail), BackgroundTask(send_mail, "b")])
    app = leave_behind(tasks)
    observed.instrument(app)
    assert httpx.get(serve(app)).status_code == 200
    wait_until(lambda: len(works(observed)) == 2)
    assert outcomes(observed) == {("fail", "error"): 1, ("send_mail", "lost"): 1}
    failed, lost = works(observed)
    assert failed.status.status_code is lost.status.status_code is StatusCode.ERROR
    assert [event.name for event in failed.events] == ["exception"]
    assert lost.attributes is not None
    assert lost.attributes["background.lost_because"] == "never started"
    assert active(observed) == 0
    # There from the start, or nobody would see the first one.
    known = {"task": send_mail.__qualname__, "outcome": "error"}
    assert observed.value("background_task_duration_seconds_count", **known) == 0
    assert observed.counts() == {("GET", "/", "200", ""): 1}


def test_it_can_be_switched_off(observed: Observed, serve: Serve) -> None:
    app = leave_behind(BackgroundTask(send_mail, "ann"))
    observed.instrument(app, background_tasks=False)
    httpx.get(serve(app))
    wait_until(lambda: observed.spans())
    assert works(observed) == []


def test_uninstrumenting_restores_the_classes_and_the_loop(observed: Observed) -> None:
    before = BackgroundTask.__call__, StarletteBackgroundTasks.__call__
    app = leave_behind(BackgroundTask(send_mail, "ann"))
    telemetry = observed.instrument(app)

    async def use() -> tuple[Any, Any]:
        telemetry.start()
        during = asyncio.get_running_loop().get_task_factory()
        telemetry.uninstrument()
        return during, asyncio.get_running_loop().get_task_factory()

    during, after = asyncio.run(use())
    assert during is not None
    assert after is None
    assert (BackgroundTask.__call__, StarletteBackgroundTasks.__call__) == before
