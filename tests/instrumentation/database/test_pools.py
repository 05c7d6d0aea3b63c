"""What the pool's metrics say, on real pools of real connections."""

from __future__ import annotations

import gc
import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import Any

import pytest
from fastapi import FastAPI
from sqlalchemy import create_engine, event, exc, text
from sqlalchemy.engine import Engine
from sqlalchemy.pool import (
    AssertionPool,
    NullPool,
    Pool,
    QueuePool,
    SingletonThreadPool,
    StaticPool,
)
from starlette.testclient import TestClient

from instrumentation.database.targets import target
from tests.instrumentation.conftest import Observed, wait_until
from tests.instrumentation.database.conftest import PoolMetrics, orders


@pytest.mark.proves("Database", "pool: connections by state, and their maximum")
def test_connections_are_counted_by_state_and_have_a_maximum(
    pool: PoolMetrics, database: str
) -> None:
    engine = orders(database, pool_size=3, max_overflow=4)
    first, second = engine.connect(), engine.connect()
    assert pool.connections() == (0, 2)
    first.close()
    assert pool.connections() == (1, 1)
    second.close()
    assert pool.connections() == (2, 0)
    assert pool.value("max") == 7
    engine.dispose()
    assert pool.connections() == (0, 0)


@pytest.mark.proves("Database", "pool: pending requests and wait time")
@pytest.mark.proves("Database", "pool: timeouts")
def test_a_caller_that_waits_is_pending_and_is_counted_when_it_gives_up(
    pool: PoolMetrics, database: str
) -> None:
    engine = orders(database, pool_size=1, max_overflow=0, pool_timeout=0.2)
    with ThreadPoolExecutor(2) as threads, engine.connect():
        waiting = [threads.submit(engine.connect) for _ in range(2)]
        wait_until(lambda: pool.value("pending_requests") == 2)
        for future in waiting:
            with pytest.raises(exc.TimeoutError):
                future.result()
    engine.dispose()
    assert pool.value("pending_requests") == 0
    assert pool.value("timeouts_total") == 2
    assert pool.value("wait_time_seconds_count") == 3
    assert (pool.value("wait_time_seconds_sum") or 0) > 0.4


@pytest.mark.proves("Database", "pool: pending requests and wait time")
def test_a_wait_that_ends_well_is_no_timeout(pool: PoolMetrics, database: str) -> None:
    engine = orders(database, pool_size=1, max_overflow=0)
    with ThreadPoolExecutor(1) as threads:
        with engine.connect():
            waiting = threads.submit(engine.connect)
            wait_until(lambda: pool.value("pending_requests") == 1)
        waiting.result().close()
    engine.dispose()
    assert pool.value("pending_requests") == 0
    assert pool.value("timeouts_total") == 0
    assert pool.value("wait_time_seconds_count") == 2


@pytest.mark.proves("Database", "pool: use time")
def test_each_borrowing_is_timed_until_it_is_returned(pool: PoolMetrics, database: str) -> None:
    engine = orders(database)
    connection = engine.connect()
    assert pool.value("use_time_seconds_count") == 0
    threading.Event().wait(0.05)
    connection.close()
    assert pool.value("use_time_seconds_count") == 1
    assert (pool.value("use_time_seconds_sum") or 0) >= 0.05
    detached = engine.connect()
    detached.detach()
    detached.close()
    engine.dispose()
    assert pool.value("use_time_seconds_count") == 2


def test_each_new_connection_is_timed(pool: PoolMetrics, database: str) -> None:
    engine = orders(database)
    for _ in range(3):
        engine.connect().close()
    assert pool.value("create_time_seconds_count") == 1
    with engine.connect() as connection:
        connection.invalidate()
        connection.execute(text("SELECT 1"))
    engine.dispose()
    assert pool.value("create_time_seconds_count") == 2


@pytest.mark.proves("Database", "pool metrics are right under concurrency")
def test_many_threads_leave_the_counts_right(pool: PoolMetrics, database: str) -> None:
    engine = orders(database, pool_size=2, max_overflow=3)
    rounds, workers = 40, 8
    seen: list[tuple[float, float]] = []

    def work() -> None:
        for _ in range(rounds):
            with engine.connect() as connection:
                connection.execute(text("SELECT 1"))

    with ThreadPoolExecutor(workers) as threads:
        running = [threads.submit(work) for _ in range(workers)]
        while not all(future.done() for future in running):
            idle, used = pool.connections()
            seen.append((idle or 0, used or 0))
        for future in running:
            future.result()
    assert all(idle >= 0 and used >= 0 and idle + used <= 5 for idle, used in seen)
    assert pool.connections() == (2, 0)
    assert pool.value("pending_requests") == 0
    for name in ("wait_time", "use_time"):
        assert pool.value(f"{name}_seconds_count") == rounds * workers
    engine.dispose()


@pytest.mark.proves("Database", "pool metrics are right after errors and invalidation")
def test_an_invalidated_connection_is_neither_idle_nor_used(
    pool: PoolMetrics, database: str
) -> None:
    engine = orders(database)
    with engine.connect() as connection:
        connection.invalidate()
        assert pool.connections() == (0, 0)
    assert pool.connections() == (0, 0)
    with engine.connect():
        assert pool.connections() == (0, 1)
    engine.dispose()


@pytest.mark.proves("Database", "pool metrics are right after errors and invalidation")
def test_a_connection_that_can_not_be_opened_is_not_counted(
    pool: PoolMetrics, tmp_path: object
) -> None:
    engine = orders(f"sqlite:///{tmp_path}/missing/folder.db", poolclass=QueuePool)
    for _ in range(2):
        with pytest.raises(exc.OperationalError):
            engine.connect()
    assert pool.connections() == (0, 0)
    assert pool.value("pending_requests") == 0
    assert pool.value("create_time_seconds_count") == 0
    assert pool.value("timeouts_total") == 0
    assert pool.value("wait_time_seconds_count") == 2


@pytest.mark.proves("Database", "pool metrics are right after errors and invalidation")
def test_a_failed_checkout_gives_the_connection_back(pool: PoolMetrics, database: str) -> None:
    engine = orders(database)

    @event.listens_for(engine, "checkout")
    def refuse(*_: object) -> None:
        raise RuntimeError("not this one")

    with pytest.raises(RuntimeError, match="not this one"):
        engine.connect()
    assert pool.connections() == (0, 0)
    assert pool.value("use_time_seconds_count") == 0
    engine.dispose()


@pytest.mark.proves("Database", "pool metrics are right after errors and invalidation")
def test_a_connection_outlives_the_pool_that_was_disposed_of(
    pool: PoolMetrics, database: str
) -> None:
    engine = orders(database, pool_size=2, max_overflow=0)
    old = engine.connect()
    engine.dispose()
    with engine.connect():
        assert pool.connections() == (0, 2)
        assert pool.value("max") == 2, "the pool that lends no more adds nothing to the maximum"
    old.close()
    assert pool.value("use_time_seconds_count") == 2
    del old
    gc.collect()
    assert pool.connections() == (1, 0)
    engine.dispose()


def test_an_engine_that_is_gone_leaves_zeros(pool: PoolMetrics, database: str) -> None:
    engine = orders(database)
    engine.connect().close()
    assert pool.connections() == (1, 0)
    engine.dispose()
    del engine
    gc.collect()
    assert pool.connections() == (0, 0)
    assert pool.value("max") == 0


def test_a_connection_that_was_forgotten_comes_back(pool: PoolMetrics, database: str) -> None:
    engine = orders(database)
    raw = engine.raw_connection()
    assert pool.connections() == (0, 1)
    del raw
    gc.collect()
    assert pool.connections() == (1, 0)
    assert pool.value("use_time_seconds_count") == 1
    engine.dispose()


def test_pools_of_one_name_are_added_up(pool: PoolMetrics, database: str) -> None:
    engines = [orders(database, pool_size=2, max_overflow=1) for _ in range(3)]
    with ExitStack() as stack:
        for engine in engines:
            stack.enter_context(engine.connect())
        assert pool.connections() == (0, 3)
        assert pool.value("max") == 9
    for engine in engines:
        engine.dispose()


@pytest.mark.parametrize(
    ("poolclass", "most"),
    [(NullPool, None), (StaticPool, None), (SingletonThreadPool, 5.0), (AssertionPool, 1.0)],
)
def test_every_kind_of_pool_has_the_maximum_that_it_keeps(
    observed: Observed, database: str, poolclass: type[Pool], most: float | None
) -> None:
    observed.instrument(FastAPI())
    engine = create_engine(database, poolclass=poolclass)
    pool = PoolMetrics(observed, "sqlite/orders.db")
    for _ in range(2):
        with engine.connect() as connection:
            connection.execute(text("SELECT 1"))
            assert pool.connections() == (0, 1)
    assert pool.value("max") == most
    assert pool.value("use_time_seconds_count") == 2
    engine.dispose()
    assert pool.connections() == (0, 0)


def test_a_pool_without_a_limit_has_no_maximum(pool: PoolMetrics, database: str) -> None:
    engine = orders(database, pool_size=0)
    with engine.connect():
        assert pool.connections() == (0, 1)
    assert pool.value("max") is None
    engine.dispose()


def test_a_pool_without_an_engine_is_watched_too(pool: PoolMetrics) -> None:
    def connect() -> Any:
        return sqlite3.connect(":memory:")

    bare = QueuePool(connect, logging_name="orders", pool_size=1)
    connection = bare.connect()
    assert pool.connections() == (0, 1)
    connection.close()
    assert pool.connections() == (1, 0)
    bare.dispose()


def test_a_pool_that_was_used_before_is_counted_at_once(observed: Observed, database: str) -> None:
    engine = orders(database)
    with engine.connect(), engine.connect():
        pass
    observed.instrument(FastAPI())
    pool = PoolMetrics(observed, "orders")
    with engine.connect():
        assert pool.connections() == (1, 1)
    engine.dispose()


def test_only_the_pools_of_the_engines_that_were_named(observed: Observed, database: str) -> None:
    named, other = orders(database), create_engine(database, pool_logging_name="other")
    observed.instrument_with(FastAPI(), engines=[named])
    assert PoolMetrics(observed, "orders").value("max") == 15, "told before it is first used"
    for engine in (named, other):
        engine.connect().close()
        engine.dispose()
    assert PoolMetrics(observed, "orders").value("use_time_seconds_count") == 1
    assert PoolMetrics(observed, "other").value("use_time_seconds_count") is None
    assert PoolMetrics(observed, "other").connections() == (None, None)


def test_an_excluded_request_holds_its_connection_all_the_same(
    observed: Observed, database: str
) -> None:
    app, engine = FastAPI(), orders(database)
    pool = PoolMetrics(observed, "orders")
    during: list[tuple[float | None, float | None]] = []

    @app.get("/orders")
    def answer() -> None:
        engine.connect().close()

    @app.get("/readyz")
    def ready() -> None:
        with engine.connect():
            during.append(pool.connections())

    observed.instrument(app)
    client = TestClient(app)
    client.get("/orders")
    client.get("/readyz")
    engine.dispose()
    assert during == [(0, 1)]
    assert pool.value("use_time_seconds_count") == 1
    assert pool.value("wait_time_seconds_count") == 1


def test_applications_that_share_a_registry_count_a_pool_once(
    observed: Observed, database: str
) -> None:
    first, second = observed.instrument(FastAPI()), observed.instrument(FastAPI())
    engine, pool = orders(database), PoolMetrics(observed, "orders")
    with engine.connect():
        assert pool.connections() == (0, 1)
        first.uninstrument()
    with engine.connect():
        assert pool.connections() == (0, 1)
    second.uninstrument()
    assert pool.connections() == (0, 0)
    engine.dispose()


def test_uninstrument_puts_the_pool_back(observed: Observed, database: str) -> None:
    functions = (Pool.connect, SingletonThreadPool.connect, Engine.raw_connection)
    engine = orders(database)
    telemetry = observed.instrument(FastAPI())
    held = engine.connect()
    telemetry.uninstrument()
    assert (Pool.connect, SingletonThreadPool.connect, Engine.raw_connection) == functions
    held.close()
    engine.connect().close()
    assert PoolMetrics(observed, "orders").value("use_time_seconds_count") == 0
    assert not any("instrumentation" in name for name in vars(engine.pool))
    engine.dispose()


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("postgresql+psycopg://user:hunter2@db.internal/orders", "db.internal/orders"),
        ("postgresql+asyncpg://user:hunter2@db.internal:6432/orders", "db.internal:6432/orders"),
        ("postgresql+psycopg://user:hunter2@/orders?host=/run/pg&port=6432", "/run/pg:6432/orders"),
        ("postgresql+psycopg:///orders?host=a&host=b", "a,b/orders"),
        ("sqlite:////srv/data/orders.db", "sqlite/orders.db"),
        ("sqlite://", "sqlite/:memory:"),
    ],
)
def test_a_pool_without_a_name_has_one_of_its_address(url: str, name: str) -> None:
    assert target(create_engine(url, poolclass=NullPool)).pool_name() == name
