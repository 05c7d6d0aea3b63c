"""Thread pools: who waits for a thread, and who holds one."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor

import anyio
import anyio.from_thread
import anyio.to_thread
import httpx
import pytest
from fastapi import Depends, FastAPI
from starlette.testclient import TestClient

from tests.instrumentation.conftest import Observed, Serve
from tests.instrumentation.threads import Held, Run, client_of, count, gauges, total, until


def test_forty_endpoints_hold_every_thread_and_the_rest_is_seen_waiting(
    observed: Observed, serve: Serve
) -> None:
    app, held = FastAPI(), Held()
    # With a response model, FastAPI takes a second thread to validate the answer.
    app.get("/report/{number}", response_model=None)(held)
    observed.instrument(app)
    base = serve(app)

    async def ask() -> None:
        async with httpx.AsyncClient(timeout=30) as client, anyio.create_task_group() as tasks:
            for number in range(45):
                tasks.start_soon(client.get, f"{base}/report/{number}")
            await until(lambda: gauges(observed, "anyio") == (40, 40, 5))
            await asyncio.sleep(0.02)
            held.let_go()

    anyio.run(ask)
    assert gauges(observed, "anyio") == (40, 0, 0)
    route = "/report/{number}"
    assert count(observed, "wait", "anyio", route) == 45
    assert count(observed, "work", "anyio", route) == 45
    waited_not = count(observed, "wait", "anyio", route, le="0.001")
    assert waited_not == 40


def test_dependencies_wait_for_threads_too(observed: Observed) -> None:
    app = FastAPI()
    app.get("/order", dependencies=[Depends(lambda: None)])(lambda: None)
    observed.instrument(app)
    TestClient(app).get("/order")
    assert count(observed, "work", "anyio", "/order") == 2


def test_the_limit_follows_what_the_application_sets(observed: Observed, run: Run) -> None:
    app, held = FastAPI(), Held()
    app.get("/held")(held)
    observed.instrument(app)

    async def main() -> None:
        anyio.to_thread.current_default_thread_limiter().total_tokens = 2
        async with client_of(app) as client, asyncio.TaskGroup() as tasks:
            for _ in range(3):
                tasks.create_task(client.get("/held"))
            await until(lambda: gauges(observed, "anyio") == (2, 2, 1))
            anyio.to_thread.current_default_thread_limiter().total_tokens = 5
            await until(lambda: gauges(observed, "anyio") == (5, 3, 0))
            held.let_go()

    run(main())


@pytest.mark.parametrize("way", [asyncio.to_thread, None], ids=["to_thread", "run_in_executor"])
def test_the_default_executor_is_seen_with_its_limit_and_its_queue(
    observed: Observed, run: Run, way: Callable[..., Awaitable[str]] | None
) -> None:
    app, held = FastAPI(), Held()

    @app.get("/file")
    async def file() -> str:
        if way is not None:
            return await way(held)
        return await asyncio.get_running_loop().run_in_executor(None, held)

    observed.instrument(app)

    async def main() -> None:
        asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(2))
        async with client_of(app) as client, asyncio.TaskGroup() as tasks:
            answers = [tasks.create_task(client.get("/file")) for _ in range(5)]
            await until(lambda: gauges(observed, "executor") == (2, 2, 3))
            await asyncio.sleep(0.02)
            held.let_go()
        assert [answer.result().json() for answer in answers] == ["held"] * 5

    run(main())
    assert count(observed, "wait", "executor", "/file") == 5
    assert (count(observed, "wait", "executor", "/file", le="0.001") or 0) <= 2
    assert count(observed, "work", "executor", "/file") == 5


def test_the_loops_own_executor_has_the_limit_that_python_gives_it(
    observed: Observed, run: Run
) -> None:
    app = FastAPI()
    app.get("/")(lambda: None)
    observed.instrument(app)
    limits = []

    async def main() -> None:
        async with client_of(app) as client:
            await client.get("/")
        limits.append(gauges(observed, "executor")[0])
        await asyncio.to_thread(int)
        limits.append(gauges(observed, "executor")[0])

    run(main())
    assert limits == [ThreadPoolExecutor()._max_workers] * 2


def test_a_call_that_gives_up_waiting_is_measured_as_a_wait(observed: Observed, run: Run) -> None:
    app, held = FastAPI(), Held()

    @app.get("/anyio")
    async def by_anyio() -> None:
        with anyio.move_on_after(0.05):
            await anyio.to_thread.run_sync(held)

    @app.get("/executor")
    async def by_executor() -> None:
        with anyio.move_on_after(0.05):
            await asyncio.to_thread(held)

    observed.instrument(app)

    async def main() -> None:
        anyio.to_thread.current_default_thread_limiter().total_tokens = 1
        asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(1))
        async with client_of(app) as client, asyncio.TaskGroup() as tasks:
            tasks.create_task(anyio.to_thread.run_sync(held))
            tasks.create_task(asyncio.to_thread(held))
            await until(lambda: held.began == 2)
            for path in ("/anyio", "/executor"):
                await client.get(path)
            await until(lambda: gauges(observed, "anyio") == (1, 1, 0))
            await until(lambda: gauges(observed, "executor") == (1, 1, 0))
            held.let_go()

    run(main())
    for pool in ("anyio", "executor"):
        assert count(observed, "wait", pool, f"/{pool}") == 1
        assert total(observed, "wait", pool, f"/{pool}") > 0.025
        assert count(observed, "work", pool, f"/{pool}") is None
        assert count(observed, "work", pool, "") == 1


def test_a_running_call_that_was_given_up_holds_its_thread_until_it_ends(
    observed: Observed, run: Run
) -> None:
    app, held = FastAPI(), Held()
    observed.instrument(app)

    async def main() -> None:
        task = asyncio.create_task(asyncio.to_thread(held))
        await until(lambda: held.began)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert gauges(observed, "executor")[1:] == (1, 0)
        held.let_go()
        await until(lambda: gauges(observed, "executor")[1:] == (0, 0))

    run(main())
    assert count(observed, "wait", "executor", "") == count(observed, "work", "executor", "") == 1


def test_a_blocked_loop_is_no_wait_for_a_thread(observed: Observed, run: Run) -> None:
    app = FastAPI()
    app.get("/sync")(lambda: None)

    @app.get("/block")
    async def block() -> None:
        time.sleep(0.1)  # noqa: ASYNC251 - the fault

    observed.instrument(app)

    async def main() -> None:
        async with client_of(app) as client, asyncio.TaskGroup() as tasks:
            for _ in range(3):
                tasks.create_task(client.get("/sync"))
                tasks.create_task(client.get("/block"))

    run(main())
    assert count(observed, "wait", "anyio", "/sync", le="0.001") == 3
