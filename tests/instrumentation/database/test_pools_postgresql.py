"""What the pool's metrics say of connections to a real PostgreSQL, on the event loop."""

from __future__ import annotations

import asyncio
import gc
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest
from fastapi import FastAPI
from sqlalchemy import exc, text
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from tests.instrumentation.conftest import Observed
from tests.instrumentation.database.conftest import PoolMetrics

DRIVERS = ("asyncpg", "psycopg")

pytestmark = [pytest.mark.anyio, pytest.mark.parametrize("driver", DRIVERS)]


def orders(folder: Path, driver: str, **options: Any) -> AsyncEngine:
    url = f"postgresql+{driver}://postgres@/postgres?host={folder}"
    return create_async_engine(url, pool_logging_name="orders", **options)


async def until(condition: Callable[[], bool]) -> None:
    """Wait for `condition`; the bound is only there to end a broken test."""
    for _ in range(1000):
        if condition():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("the condition did not come true")


@pytest.mark.proves("Database", "pool metrics are right under concurrency")
async def test_many_tasks_leave_the_counts_right(
    pool: PoolMetrics, postgresql_folder: Path, driver: str
) -> None:
    engine = orders(postgresql_folder, driver, pool_size=2, max_overflow=2)

    async def work() -> None:
        async with engine.connect() as connection:
            await connection.execute(text("SELECT pg_sleep(0.005)"))
            idle, used = pool.connections()
            assert (idle or 0) + (used or 0) <= 4

    await asyncio.gather(*(work() for _ in range(60)))
    assert pool.connections() == (2, 0)
    assert pool.value("pending_requests") == 0
    assert pool.value("wait_time_seconds_count") == 60
    assert pool.value("use_time_seconds_count") == 60
    assert pool.value("max") == 4
    await engine.dispose()
    assert pool.connections() == (0, 0)


@pytest.mark.proves("Database", "pool: timeouts")
@pytest.mark.proves("Database", "pool: pending requests and wait time")
async def test_a_cancelled_wait_is_over_and_no_timeout(
    pool: PoolMetrics, postgresql_folder: Path, driver: str
) -> None:
    engine = orders(postgresql_folder, driver, pool_size=1, max_overflow=0, pool_timeout=0.2)
    async with engine.connect():
        tasks = [asyncio.ensure_future(engine.connect().start()) for _ in range(3)]
        await until(lambda: pool.value("pending_requests") == 3)
        tasks[0].cancel()
        with pytest.raises(asyncio.CancelledError):
            await tasks[0]
        assert pool.value("pending_requests") == 2
        for task in tasks[1:]:
            with pytest.raises(exc.TimeoutError):
                await task
    await engine.dispose()
    assert pool.value("pending_requests") == 0
    assert pool.value("timeouts_total") == 2


@pytest.mark.proves("Database", "pool metrics are right after errors and invalidation")
async def test_a_cancelled_statement_costs_the_pool_no_place(
    pool: PoolMetrics, postgresql_folder: Path, driver: str
) -> None:
    engine = orders(postgresql_folder, driver, pool_size=2, max_overflow=0)

    async def slow() -> None:
        async with engine.connect() as connection:
            await connection.execute(text("SELECT pg_sleep(30)"))

    task = asyncio.create_task(slow())
    await until(lambda: pool.connections() == (0, 1))
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    idle, used = pool.connections()
    assert used == 0
    assert idle in (0, 1)
    assert pool.value("use_time_seconds_count") == 1
    async with engine.connect(), engine.connect():
        assert pool.connections() == (0, 2)
    await engine.dispose()


@pytest.mark.proves("Database", "pool metrics are right after errors and invalidation")
async def test_connections_that_the_server_ends_are_not_counted(
    pool: PoolMetrics, postgresql_folder: Path, driver: str
) -> None:
    engine = orders(postgresql_folder, driver, pool_size=3)
    async with engine.connect() as one, engine.connect() as two:
        killed = await one.scalar(text("SELECT pg_backend_pid()"))
        await two.execute(text("SELECT pg_terminate_backend(:pid)"), {"pid": killed})
        with pytest.raises(exc.DBAPIError) as failure:
            await one.execute(text("SELECT 1"))
        assert failure.value.connection_invalidated
        assert pool.connections() == (0, 1)
    # The others of the same age are made anew when they are next asked for.
    async with engine.connect(), engine.connect():
        assert pool.connections() == (0, 2)
    assert pool.value("create_time_seconds_count") == 4
    await engine.dispose()


async def test_a_ping_that_fails_replaces_the_connection(
    pool: PoolMetrics, postgresql_folder: Path, driver: str
) -> None:
    engine = orders(postgresql_folder, driver, pool_pre_ping=True)
    async with engine.connect() as connection:
        killed = await connection.scalar(text("SELECT pg_backend_pid()"))
    with psycopg.connect(host=str(postgresql_folder), user="postgres", autocommit=True) as other:
        other.execute("SELECT pg_terminate_backend(%s, 5000)", [killed])
    async with engine.connect() as connection:
        assert await connection.scalar(text("SELECT pg_backend_pid()")) != killed
        assert pool.connections() == (0, 1)
    assert pool.value("use_time_seconds_count") == 2
    assert pool.value("create_time_seconds_count") == 2
    await engine.dispose()


async def test_a_connection_that_was_forgotten_is_not_counted(
    pool: PoolMetrics, postgresql_folder: Path, driver: str
) -> None:
    engine = orders(postgresql_folder, driver)
    connection = await engine.connect()
    await connection.execute(text("SELECT 1"))
    assert pool.connections() == (0, 1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        del connection
        gc.collect()
        await asyncio.sleep(0)
    assert pool.connections() == (0, 0)
    assert pool.value("use_time_seconds_count") == 1
    await engine.dispose()


async def test_an_engine_that_was_used_before(
    observed: Observed, postgresql_folder: Path, driver: str
) -> None:
    engine = orders(postgresql_folder, driver)
    async with engine.connect(), engine.connect():
        pass
    observed.instrument(FastAPI())
    pool = PoolMetrics(observed, "orders")
    async with engine.connect():
        assert pool.connections() == (1, 1)
    await engine.dispose()
