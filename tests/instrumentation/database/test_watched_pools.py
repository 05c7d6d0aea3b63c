"""Which pools are watched, and what they are called."""

from __future__ import annotations

import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from fastapi import FastAPI
from sqlalchemy import create_engine, text
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


def test_an_excluded_request_waits_like_any_other(observed: Observed, database: str) -> None:
    app, engine = FastAPI(), orders(database, pool_size=1, max_overflow=0)
    pool = PoolMetrics(observed, "orders")

    @app.get("/readyz")
    def ready() -> None:
        engine.connect().close()

    observed.instrument(app)
    with ThreadPoolExecutor(1) as threads:
        with engine.connect():
            asked = threads.submit(TestClient(app).get, "/readyz")
            wait_until(lambda: pool.value("pending_requests") == 1)
        assert asked.result().status_code == 200
    assert pool.value("pending_requests") == 0
    engine.dispose()


def test_a_thread_that_borrows_its_own_connection_again_uses_one(
    pool: PoolMetrics, database: str
) -> None:
    engine = orders(database, poolclass=SingletonThreadPool)
    outer = engine.connect()
    threading.Event().wait(0.05)
    engine.connect().close()
    outer.close()
    assert pool.value("use_time_seconds_count") == 1
    assert (pool.value("use_time_seconds_sum") or 0) >= 0.05
    engine.dispose()


def test_applications_that_share_a_registry_count_a_pool_once(
    observed: Observed, database: str
) -> None:
    first, second = observed.instrument(FastAPI()), observed.instrument(FastAPI())
    engine, pool = orders(database), PoolMetrics(observed, "orders")
    with engine.connect():
        assert pool.connections() == (0, 1)
        first.uninstrument()
        assert pool.connections() == (0, 1)
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
