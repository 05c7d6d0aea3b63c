"""Each fault harms while it is on, and no longer."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from anyio import to_thread

from demo_service import app as orders
from demo_service.faults.fault import CHANCE, Change
from demo_service.faults.slow_tail import SlowTail
from tests.demo_service.running import in_process

if TYPE_CHECKING:
    from fastapi import FastAPI

    from demo_service.settings import Settings

pytestmark = pytest.mark.anyio

ORDER = {"user_id": 1, "product_id": 2, "quantity": 1}
SLOW_SECONDS = 1.0


async def switch(client: httpx.AsyncClient, name: str, enabled: bool, **more: float) -> None:
    body: dict[str, Any] = {"enabled": enabled, **more}
    answer = await client.put(f"/admin/faults/{name}", json=body)
    assert answer.status_code == 200
    state = answer.json()
    assert {key: state[key] for key in ("name", *body)} == {"name": name, **body}


async def seconds(client: httpx.AsyncClient, method: str, path: str, **more: Any) -> float:
    begin = time.perf_counter()
    assert (await client.request(method, path, **more)).status_code in (200, 201)
    return time.perf_counter() - begin


async def longest_silence(work: Any) -> float:
    """Run `work` and return the longest time in which the event loop ran nothing else."""
    silences = [0.0]

    async def beat() -> None:
        last = time.perf_counter()
        while True:
            await asyncio.sleep(0.005)
            silences.append(time.perf_counter() - last)
            last = time.perf_counter()

    beating = asyncio.create_task(beat())
    await asyncio.sleep(0.02)
    await work
    await asyncio.sleep(0.02)
    beating.cancel()
    return max(silences)


async def test_a_slow_tail_waits_without_holding_up_others(client: httpx.AsyncClient) -> None:
    await switch(client, "slow_tail", True, probability=1.0, seconds=SLOW_SECONDS)
    taken = await asyncio.gather(*(seconds(client, "GET", "/api/v1/users") for _ in range(5)))
    assert min(taken) >= SLOW_SECONDS
    assert max(taken) < 2 * SLOW_SECONDS
    await switch(client, "slow_tail", False)
    assert await seconds(client, "GET", "/api/v1/users") < SLOW_SECONDS


async def test_errors_are_real_exceptions_on_some_routes(client: httpx.AsyncClient) -> None:
    await switch(client, "errors", True, probability=1.0)
    for path in ("/api/v1/products", "/api/v1/orders"):
        answer = await client.get(path)
        assert answer.status_code == 500
        assert answer.headers["content-type"] == "application/problem+json"
        assert "ledger" not in answer.text
    assert (await client.get("/api/v1/users")).status_code == 200
    await switch(client, "errors", False)
    assert (await client.get("/api/v1/products")).status_code == 200


async def test_an_injected_error_leaves_the_application(app: FastAPI) -> None:
    async with app.router.lifespan_context(app):
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://orders") as client:
            await switch(client, "errors", True, probability=1.0)
            with pytest.raises(RuntimeError, match="stock ledger"):
                await client.get("/api/v1/products")


async def test_a_blocked_loop_holds_up_everything(client: httpx.AsyncClient) -> None:
    await switch(client, "blocked_loop", True, probability=1.0, seconds=SLOW_SECONDS)
    assert await longest_silence(client.get("/api/v1/products")) >= SLOW_SECONDS
    await switch(client, "blocked_loop", False)
    assert await longest_silence(client.get("/api/v1/products")) < SLOW_SECONDS


async def test_a_slow_dependency_is_slow_in_the_provider(
    client: httpx.AsyncClient, payments_url: str
) -> None:
    async def charge() -> float:
        async with httpx.AsyncClient(base_url=payments_url) as payments:
            body = {"amount_cents": 100, "currency": "EUR"}
            headers = {"Idempotency-Key": str(time.time_ns())}
            return await seconds(payments, "POST", "/charges", json=body, headers=headers)

    await switch(client, "slow_dependency", True, seconds=SLOW_SECONDS)
    assert await charge() >= SLOW_SECONDS
    assert await seconds(client, "POST", "/api/v1/orders", json=ORDER) >= SLOW_SECONDS
    assert await seconds(client, "GET", "/api/v1/orders") < SLOW_SECONDS
    await switch(client, "slow_dependency", False)
    assert await charge() < SLOW_SECONDS


async def test_a_dependency_too_slow_is_a_504_and_leaves_the_order_open(
    settings: Settings,
) -> None:
    hasty = settings.model_copy(update={"payments_timeout": 0.3})
    async with in_process(orders.create_app(hasty)) as client:
        await switch(client, "slow_dependency", True, seconds=1.0)
        answer = await client.post("/api/v1/orders", json=ORDER)
        assert (answer.status_code, answer.json()["title"]) == (504, "Gateway Timeout")
        assert (await client.get("/api/v1/orders")).json()["items"][0]["status"] == "pending"


async def test_an_exhausted_pool_makes_requests_time_out(settings: Settings) -> None:
    app = orders.create_app(settings.model_copy(update={"pool_timeout": 0.3}))
    async with in_process(app) as client:
        pool = app.state.resources.engine.pool
        for _ in range(2):
            await switch(client, "exhausted_pool", True)
            assert pool.checkedout() == 3
        answer = await client.get("/api/v1/products")
        assert answer.status_code == 503
        assert answer.headers["retry-after"] == "1"
        assert (await client.get("/readyz")).status_code == 503
        assert (await client.get("/healthz")).status_code == 200
        await switch(client, "exhausted_pool", False)
        assert pool.checkedout() == 0
        assert (await client.get("/api/v1/products")).status_code == 200


async def test_exhausted_threads_hold_up_what_needs_one_and_not_the_loop(
    client: httpx.AsyncClient,
) -> None:
    for _ in range(2):
        await switch(client, "exhausted_threads", True, seconds=SLOW_SECONDS)
    limiter = to_thread.current_default_thread_limiter()
    while limiter.available_tokens:
        await asyncio.sleep(0.01)
    assert limiter.statistics().tasks_waiting == 0
    listing = asyncio.create_task(seconds(client, "GET", "/api/v1/products"))
    while not limiter.statistics().tasks_waiting:
        await asyncio.sleep(0.01)
    assert await longest_silence(asyncio.sleep(0.1)) < SLOW_SECONDS
    await switch(client, "exhausted_threads", False)
    await listing
    assert limiter.borrowed_tokens == 0
    assert (await client.get("/api/v1/products")).status_code == 200


async def test_a_fault_left_on_does_not_keep_the_service_from_stopping(app: FastAPI) -> None:
    async with in_process(app) as client:
        await switch(client, "exhausted_threads", True, seconds=30)
        await switch(client, "exhausted_pool", True)
        pool = app.state.resources.engine.pool
        tasks = asyncio.all_tasks()
    assert pool.checkedout() == 0
    assert asyncio.all_tasks() <= tasks


async def test_a_fault_strikes_as_often_as_its_probability_says() -> None:
    CHANCE.seed(1)
    struck = 0

    class Counting(SlowTail):
        async def strike(self) -> None:
            nonlocal struck
            struck += 1

    fault = Counting()
    await fault.switch(Change(enabled=True))
    for _ in range(10_000):
        await fault()
    assert struck == pytest.approx(10_000 * SlowTail.probability, rel=0.2)
