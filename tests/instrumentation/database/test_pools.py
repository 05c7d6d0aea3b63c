"""What the pool's metrics say, on real pools of real connections."""

from __future__ import annotations

import gc
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest
from sqlalchemy import event, exc, text
from sqlalchemy.pool import (
    QueuePool,
)

from tests.instrumentation.conftest import wait_until
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


# SQLAlchemy drops it with its pool, and SQLite complains of that from Python 3.13 on.
@pytest.mark.filterwarnings("ignore:unclosed database:ResourceWarning")
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
