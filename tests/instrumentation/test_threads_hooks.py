"""Thread pools: what the hooks leave alone, and that they harm nobody."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import textwrap
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import anyio
import anyio.from_thread
import anyio.to_thread
import pytest
import uvloop
from fastapi import FastAPI
from starlette.testclient import TestClient

from instrumentation.runtime.threads import pools
from tests.instrumentation.conftest import Observed
from tests.instrumentation.threads import Held, Run, client_of, count, gauges, until


def test_an_error_in_the_thread_arrives_and_is_measured(observed: Observed, run: Run) -> None:
    app = FastAPI()
    observed.instrument(app)

    def fail() -> None:
        raise ZeroDivisionError

    async def main() -> None:
        for call in (anyio.to_thread.run_sync, asyncio.to_thread):
            with pytest.raises(ZeroDivisionError):
                await call(fail)
        assert gauges(observed, "anyio")[1:] == gauges(observed, "executor")[1:] == (0, 0)

    run(main())
    assert count(observed, "work", "anyio", "") == count(observed, "work", "executor", "") == 1


def test_other_limiters_and_executors_are_left_alone(observed: Observed, run: Run) -> None:
    app = FastAPI()
    observed.instrument(app)

    async def main() -> None:
        await anyio.to_thread.run_sync(int, limiter=anyio.CapacityLimiter(1))
        with ThreadPoolExecutor(1) as executor:
            await asyncio.get_running_loop().run_in_executor(executor, int)
        assert count(observed, "wait", "anyio", "") is None
        assert count(observed, "wait", "executor", "") is None
        await anyio.to_thread.run_sync(
            int, limiter=anyio.to_thread.current_default_thread_limiter()
        )
        assert count(observed, "wait", "anyio", "") == 1

    run(main())


def test_a_scrape_uses_no_thread_of_the_applications(observed: Observed) -> None:
    app = FastAPI()
    observed.instrument(app)
    with TestClient(app) as client:
        for _ in range(2):
            text = client.get("/metrics").text
        assert 'thread_pool_threads{pool="anyio",state="limit"} 40.0' in text
        assert 'thread_pool_threads{pool="anyio",state="used"} 0.0' in text
    assert count(observed, "wait", "anyio", "") is None


def test_loops_in_several_threads_are_summed_and_forgotten_when_they_close(
    observed: Observed,
) -> None:
    app = FastAPI()
    observed.instrument(app)
    limit_before = gauges(observed, "anyio")[0] or 0

    async def one_call() -> None:
        await anyio.to_thread.run_sync(int)

    with anyio.from_thread.start_blocking_portal() as one:
        with anyio.from_thread.start_blocking_portal() as other:
            for portal in (one, other):
                portal.call(one_call)
            assert gauges(observed, "anyio")[0] == limit_before + 80
        assert gauges(observed, "anyio")[0] == limit_before + 40
    assert gauges(observed, "anyio")[0] == limit_before


def test_a_coroutine_function_is_refused_as_ever(observed: Observed) -> None:
    observed.instrument(FastAPI())

    async def coroutine() -> None: ...

    async def main() -> None:
        with pytest.raises(TypeError, match="coroutines cannot be used"):
            asyncio.get_running_loop().run_in_executor(None, coroutine)

    uvloop.run(main())
    asyncio.run(main(), debug=True)


def test_a_call_after_the_executors_shutdown_leaves_nothing_behind(
    observed: Observed, run: Run
) -> None:
    observed.instrument(FastAPI())

    async def main() -> None:
        await asyncio.get_running_loop().shutdown_default_executor()
        with pytest.raises(RuntimeError):
            await asyncio.to_thread(int)
        assert gauges(observed, "executor")[1:] == (0, 0)

    run(main())


def test_uninstrument_restores_every_hook(observed: Observed) -> None:
    names = ("run_in_executor", "set_default_executor")
    classes = (asyncio.BaseEventLoop, uvloop.Loop)

    def hooks() -> list[Any]:
        return [anyio.to_thread.run_sync, *(vars(cls).get(n) for cls in classes for n in names)]

    before = hooks()
    first, second = (observed.instrument(FastAPI()) for _ in range(2))
    hooked = hooks()
    assert all(now is not then for now, then in zip(hooked, before, strict=True))
    first.uninstrument()
    assert hooks() == hooked
    second.uninstrument()
    assert hooks() == before


def test_a_wrapper_around_the_hook_outlives_it(
    observed: Observed, monkeypatch: pytest.MonkeyPatch
) -> None:
    telemetry = observed.instrument(FastAPI())
    ours: Callable[..., Any] = anyio.to_thread.run_sync

    async def theirs(*args: Any, **options: Any) -> Any:
        return await ours(*args, **options)

    monkeypatch.setattr(anyio.to_thread, "run_sync", theirs)
    telemetry.uninstrument()
    assert anyio.run(theirs, int) == 0
    assert count(observed, "wait", "anyio", "") is None
    monkeypatch.undo()
    anyio.to_thread.run_sync = ours.__wrapped__  # type: ignore[attr-defined]


def test_excluded_requests_are_counted_among_the_threads_and_not_measured(
    observed: Observed, run: Run
) -> None:
    app, held = FastAPI(), Held()

    @app.get("/healthz")
    async def healthz() -> str:
        return await asyncio.to_thread(held)

    observed.instrument(app)

    async def main() -> None:
        async with client_of(app) as client, asyncio.TaskGroup() as tasks:
            tasks.create_task(client.get("/healthz"))
            await until(lambda: gauges(observed, "executor")[1:] == (1, 0))
            held.let_go()

    run(main())
    assert count(observed, "work", "executor", "") is None


def test_a_failing_observation_reaches_no_call(
    observed: Observed, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Broken:
        def child(self, *_: str) -> Any:
            raise RuntimeError("broken")

    telemetry = observed.instrument(FastAPI())
    monkeypatch.setattr(pools.observers[telemetry], "_work", Broken())

    async def main() -> None:
        assert await anyio.to_thread.run_sync(int) == 0
        assert await asyncio.to_thread(int) == 0

    run(main())
    assert observed.value("instrumentation_internal_errors_total", part="threads") == 2


def test_a_forked_child_begins_with_no_calls() -> None:
    """The parent's threads and loops aren't there."""
    script = """
    import asyncio, os, sys, threading
    from fastapi import FastAPI
    from prometheus_client import CollectorRegistry
    from instrumentation import Settings, instrument

    registry = CollectorRegistry()
    settings = Settings(traces_exporter="none")
    telemetry = instrument(FastAPI(), settings, registry=registry)

    def shown(state):
        return registry.get_sample_value(
            "thread_pool_threads", {"pool": "executor", "state": state})

    async def main():
        began, release = threading.Event(), threading.Event()
        task = asyncio.create_task(asyncio.to_thread(lambda: (began.set(), release.wait(30))))
        while not began.is_set():
            await asyncio.sleep(0.01)
        assert shown("used") == 1
        child = os.fork()
        if not child:
            assert shown("used") == shown("limit") == 0
            threading.Thread(target=new_life).start()
            return os._exit(0) if new_life() else os._exit(1)
        release.set()
        await task
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0

    def new_life():
        asyncio._set_running_loop(None)
        async def life():
            return await asyncio.to_thread(shown, "used")
        return asyncio.new_event_loop().run_until_complete(life()) == 1

    asyncio.run(main())
    """
    command = [sys.executable, "-W", "ignore", "-c", textwrap.dedent(script)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
