"""Causes: each is silent, then fires and says which part of which service, then resolves."""

from __future__ import annotations

from pathlib import Path

import pytest

from instrumentation.contract.metrics import (
    ASYNCIO_EVENT_LOOP_BLOCKED,
    ASYNCIO_EVENT_LOOP_CULPRIT_SECONDS,
    DB_CLIENT_CONNECTION_PENDING,
    DB_CLIENT_CONNECTION_TIMEOUTS,
    DB_CLIENT_CONNECTION_WAIT_TIME,
    PYTHON_GC_PAUSE,
    THREAD_POOL_WAIT,
    THREAD_POOL_WAITING,
)
from tests.alerts.cases import Life, silent
from tests.alerts.parts import MINUTE, counter, gauge, histogram, known

FILES = ("causes.yml",)
ROUTE = "/orders/{id}"
POOL = "db_client_connection_pool_name"
BLOCKED = Life(
    alert="EventLoopBlocked",
    files=FILES,
    series=[
        *histogram(
            ASYNCIO_EVENT_LOOP_BLOCKED,
            (20 * MINUTE, 0, 0.2),
            (20 * MINUTE, 6, 0.2),
            (30 * MINUTE, 0, 0.2),
            http_route=ROUTE,
        ),
        counter(
            ASYNCIO_EVENT_LOOP_CULPRIT_SECONDS.name,
            (20 * MINUTE, 0),
            (20 * MINUTE, 1.2),
            (30 * MINUTE, 0),
            http_route=ROUTE,
            culprit="app/orders.py:42 price",
        ),
    ],
    # 1.2 s in every 15 s: of five minutes more than 5 % after 13 scrapes.
    start=20 * 60 + 12 * 15,
    firing=35,
    silent=(20, 24, 50),
    said={
        "kind": "cause",
        "summary": "The event loop of orders stands still too often",
        "description": "One instance's event loop stood still for 8% of the last 5 minutes, more "
        "than 5%, and every request in it waited. /orders/{id} held it longest, at "
        "app/orders.py:42 price.",
    },
)
ENDPOINT = Life(
    alert="EndpointBlocksEventLoop",
    files=FILES,
    series=histogram(
        ASYNCIO_EVENT_LOOP_BLOCKED,
        (20 * MINUTE, 0, 0.4),
        (MINUTE, 3, 0.4),
        (40 * MINUTE, 0, 0.4),
        http_route=ROUTE,
    ),
    start=20 * 60 + 3 * 15,
    firing=30,
    silent=(20, 38),
    said={
        "kind": "cause",
        "level": "job_route",
        "http_route": ROUTE,
        "summary": "/orders/{id} of orders blocks the event loop",
        "description": "One in a hundred of the stretches in which it held the event loop took "
        "497.5ms or longer over the last 15 minutes, more than 0.25 s. Each delays every other "
        "request of the process.",
        "traces": "tags=%7B%22http.route%22%3A%22ROUTE%22%7D",
    },
)
THREADS = Life(
    alert="ThreadPoolSaturated",
    files=FILES,
    series=[
        *histogram(
            THREAD_POOL_WAIT,
            (20 * MINUTE, 10, 0.0005),
            (20 * MINUTE, 10, 0.2),
            (20 * MINUTE, 10, 0.0005),
            pool="anyio",
            http_route=ROUTE,
        ),
        gauge(
            THREAD_POOL_WAITING,
            (20 * MINUTE, 0),
            (20 * MINUTE, 8),
            (20 * MINUTE, 0),
            pool="anyio",
        ),
    ],
    start=20 * 60,
    firing=35,
    silent=(20, 50),
    said={
        "kind": "cause",
        "level": "job_pool",
        "pool": "anyio",
        "summary": "The thread pool anyio of orders has no free thread",
        "description": "Every twentieth call waits longer than 0.1 s, or some wait at every "
        "scrape of 2 minutes. The twentieth wait is 242.5ms or longer. 8 wait now. Sync endpoints "
        "and dependencies share the pool.",
    },
)
POOL_WAITS = Life(
    alert="ConnectionPoolExhausted",
    files=FILES,
    series=histogram(
        DB_CLIENT_CONNECTION_WAIT_TIME,
        (20 * MINUTE, 10, 0.0005),
        (20 * MINUTE, 10, 2),
        (20 * MINUTE, 10, 0.0005),
        **{POOL: "main"},
    ),
    start=20 * 60,
    firing=35,
    silent=(20, 50),
    said={
        "kind": "cause",
        "level": "job_pool",
        POOL: "main",
        "summary": "The connection pool main of orders has none free",
        "description": "Every twentieth caller waits longer than 0.1 s, or some wait at every "
        "scrape of 2 minutes. The twentieth wait is 2.45s or longer.",
    },
)
POOL_STUCK = Life(
    alert="ConnectionPoolExhausted",
    files=FILES,
    # Nobody gets a connection any more, so no wait ends.
    series=[
        gauge(
            DB_CLIENT_CONNECTION_PENDING,
            (20 * MINUTE, 0),
            (20 * MINUTE, 3),
            (20 * MINUTE, 0),
            **{POOL: "main"},
        )
    ],
    start=20 * 60 + 7 * 15,
    firing=35,
    silent=(20, 23, 45),
    said={
        "kind": "cause",
        "level": "job_pool",
        POOL: "main",
        "summary": "The connection pool main of orders has none free",
        "description": "Every twentieth caller waits longer than 0.1 s, or some wait at every "
        "scrape of 2 minutes. 3 wait now.",
    },
)
TIMEOUTS = Life(
    alert="ConnectionPoolTimeouts",
    files=FILES,
    # The counter begins with its first event, which must count.
    series=[
        known(),
        counter(
            DB_CLIENT_CONNECTION_TIMEOUTS.name,
            (20 * MINUTE, None),
            (1, 4),
            (60 * MINUTE, 0),
            **{POOL: "main"},
        ),
    ],
    start=20 * 60,
    firing=23,
    silent=(20, 30),
    said={
        "kind": "cause",
        "level": "job_pool",
        POOL: "main",
        "summary": "Callers give up on the connection pool main of orders",
        "description": "4 callers gave up waiting for a connection over the last 5 minutes. Each "
        "is a request that failed.",
    },
)
GARBAGE = Life(
    alert="GarbageCollectorPauses",
    files=FILES,
    series=histogram(
        PYTHON_GC_PAUSE,
        (20 * MINUTE, 1, 0.02),
        (30 * MINUTE, 5, 0.3),
        (30 * MINUTE, 1, 0.02),
        generation="2",
    ),
    # 1.5 s in every 15 s: of ten minutes more than 5 % after 20 scrapes.
    start=20 * 60 + 19 * 15,
    firing=45,
    silent=(20, 29, 70),
    said={
        "kind": "cause",
        "summary": "The garbage collector stops orders too long",
        "description": "It stopped one instance for 10% of the last 10 minutes, more than 5%.",
    },
)

LIVES = (
    BLOCKED, ENDPOINT, THREADS, POOL_WAITS, POOL_STUCK, TIMEOUTS, GARBAGE,
)  # fmt: skip


@pytest.mark.parametrize("life", LIVES, ids=lambda life: life.alert)
def test_a_cause_is_silent_then_fires_then_resolves(life: Life, tmp_path: Path) -> None:
    life.check(tmp_path)


def test_one_long_garbage_collection_is_silent(tmp_path: Path) -> None:
    series = histogram(PYTHON_GC_PAUSE, (80, 1, 0.01), (1, 1, 10), (200, 1, 0.01), generation="2")
    silent("GarbageCollectorPauses", FILES, series, tmp_path)


def test_one_long_block_is_silent(tmp_path: Path) -> None:
    series = histogram(
        ASYNCIO_EVENT_LOOP_BLOCKED, (80, 0, 0.2), (1, 1, 10), (200, 0, 0.2), http_route=ROUTE
    )
    silent("EventLoopBlocked", FILES, list(series), tmp_path)
    silent("EndpointBlocksEventLoop", FILES, series, tmp_path)


def test_blocks_spread_over_many_instances_are_none_of_the_worst(tmp_path: Path) -> None:
    series = [
        each
        for instance in "abcdefgh"
        for each in histogram(
            ASYNCIO_EVENT_LOOP_BLOCKED, (250, 3, 0.2), http_route=ROUTE, instance=instance
        )
    ]
    silent("EventLoopBlocked", FILES, series, tmp_path)


def test_a_burst_that_waits_at_some_scrapes_is_silent(tmp_path: Path) -> None:
    bursts = [(1, 5.0), (6, 0.0)] * 40
    threads = gauge(THREAD_POOL_WAITING, *bursts, pool="anyio")
    connections = gauge(DB_CLIENT_CONNECTION_PENDING, *bursts, **{POOL: "main"})
    silent("ThreadPoolSaturated", FILES, [threads], tmp_path)
    silent("ConnectionPoolExhausted", FILES, [connections], tmp_path)


def test_a_few_long_waits_are_silent(tmp_path: Path) -> None:
    series = histogram(DB_CLIENT_CONNECTION_WAIT_TIME, (250, 0.5, 2), **{POOL: "main"})
    silent("ConnectionPoolExhausted", FILES, series, tmp_path)


def test_two_callers_that_gave_up_are_silent(tmp_path: Path) -> None:
    two = counter(
        DB_CLIENT_CONNECTION_TIMEOUTS.name, (80, None), (1, 2), (200, 0), **{POOL: "main"}
    )
    silent("ConnectionPoolTimeouts", FILES, [known(), two], tmp_path)


def test_old_counts_that_appear_with_a_new_process_are_silent(tmp_path: Path) -> None:
    """After a hole in the data a counter seems to begin, however old its events are."""
    info = known()
    info["values"] = "1+0x20 _x60 1+0x200"
    old = counter(
        DB_CLIENT_CONNECTION_TIMEOUTS.name, (80, None), (1, 500), (200, 0), **{POOL: "main"}
    )
    silent("ConnectionPoolTimeouts", FILES, [info, old], tmp_path)
