"""How full event loop, threads and connections are, and who holds them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from instrumentation.contract import promql
from instrumentation.contract.metrics import (
    ASYNCIO_EVENT_LOOP_BLOCKED,
    ASYNCIO_EVENT_LOOP_CULPRIT_BLOCKS,
    ASYNCIO_EVENT_LOOP_CULPRIT_SECONDS,
    ASYNCIO_EVENT_LOOP_LAG,
    DB_CLIENT_CONNECTION_COUNT,
    DB_CLIENT_CONNECTION_MAX,
    DB_CLIENT_CONNECTION_PENDING,
    DB_CLIENT_CONNECTION_USE_TIME,
    DB_CLIENT_CONNECTION_WAIT_TIME,
    THREAD_POOL_THREADS,
    THREAD_POOL_WAIT,
    THREAD_POOL_WAITING,
    THREAD_POOL_WORK,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from instrumentation.contract.metrics import Metric
    from instrumentation.contract.promql import Window

INSTANCE: Final = ("job", "instance")
THREADS: Final = (*INSTANCE, "pool")
CONNECTIONS: Final = (*INSTANCE, "db_client_connection_pool_name")
_CULPRIT: Final = ("job", "http_route", "culprit")


def culprit_seconds(window: Window, matchers: Sequence[str]) -> str:
    """Seconds of the window in which each line of code held the event loop, the worst ten."""
    held = promql.selector(ASYNCIO_EVENT_LOOP_CULPRIT_SECONDS.name, matchers)
    return f"topk(10, {_happened(held, window)} > 0)"


def culprit_blocks(window: Window, matchers: Sequence[str]) -> str:
    """How often in the window each line of code held the event loop."""
    held = promql.selector(ASYNCIO_EVENT_LOOP_CULPRIT_BLOCKS.name, matchers)
    return f"{_happened(held, window)} > 0"


def loop_blocked(by: Sequence[str], window: Window, matchers: Sequence[str]) -> str:
    """Share of the time that the worst instance's event loop stood still."""
    held = promql.spent(ASYNCIO_EVENT_LOOP_BLOCKED, window, INSTANCE, matchers)
    return f"max by ({', '.join(by)}) ({held})"


def loop_lag(by: Sequence[str], window: Window, matchers: Sequence[str]) -> str:
    """99th percentile of how late the event loop ran what was due, in seconds."""
    return promql.present(promql.quantile(0.99, ASYNCIO_EVENT_LOOP_LAG, window, by, matchers))


def threads_taken(by: Sequence[str], matchers: Sequence[str]) -> str:
    """Share of a pool's threads that are taken, in the worst instance."""
    return _taken(by, THREADS, *_threads(matchers))


def connections_taken(by: Sequence[str], matchers: Sequence[str]) -> str:
    """Share of a pool's connections that are taken, in the worst instance."""
    return _taken(by, CONNECTIONS, *_connections(matchers))


def thread_wait(by: Sequence[str], window: Window, matchers: Sequence[str]) -> str:
    """95th percentile of the waits for a thread, in seconds."""
    return promql.present(promql.quantile(0.95, THREAD_POOL_WAIT, window, by, matchers))


def connection_wait(by: Sequence[str], window: Window, matchers: Sequence[str]) -> str:
    """95th percentile of the waits for a connection, in seconds."""
    return promql.present(
        promql.quantile(0.95, DB_CLIENT_CONNECTION_WAIT_TIME, window, by, matchers)
    )


def calls_waiting(by: Sequence[str], matchers: Sequence[str]) -> str:
    """How many calls wait for a thread."""
    return promql.total(promql.selector(THREAD_POOL_WAITING.name, matchers), by)


def callers_waiting(by: Sequence[str], matchers: Sequence[str]) -> str:
    """How many callers wait for a connection."""
    return promql.total(promql.selector(DB_CLIENT_CONNECTION_PENDING.name, matchers), by)


def threads_had(matchers: Sequence[str]) -> str:
    """How many threads each pool of an instance may have."""
    return _threads(matchers)[1]


def connections_had(matchers: Sequence[str]) -> str:
    """How many connections each pool of an instance may open."""
    return _connections(matchers)[1]


def threads_busy(window: Window, matchers: Sequence[str]) -> str:
    """Threads that were busy on average, by Little's law: calls a second times seconds a call."""
    return promql.spent(THREAD_POOL_WORK, window, THREADS, matchers)


def connections_busy(window: Window, matchers: Sequence[str]) -> str:
    """Connections that were out on average, by Little's law."""
    return promql.spent(DB_CLIENT_CONNECTION_USE_TIME, window, CONNECTIONS, matchers)


def peak(busy: str, step: float) -> str:
    """The largest of a short-term average in the range that is looked at."""
    return f"max_over_time({busy}[{promql.RANGE}:{promql.duration(step)}])"


def wanted(busiest: str) -> str:
    """How many there should be for a peak: so many, and twice their square root on top.

    That is the square-root staffing rule: random arrivals at an average of N busy ones need more
    than N + 2 √N at once in about one moment of forty.
    """
    return f"ceil({busiest} + 2 * sqrt({busiest}))"


def headroom(busy: str, had: str) -> str:
    """Share of what is there that is free on average, in the fullest pool of each instance."""
    return f"1 - max by ({', '.join(INSTANCE)}) ({busy} / {had})"


def _happened(series: str, window: Window) -> str:
    """Many a line blocks once in the life of its process, and `increase` can't see that."""
    return f"({promql.counted(series, window, _CULPRIT)})"


def _threads(matchers: Sequence[str]) -> tuple[str, str]:
    return (
        _gauge(THREAD_POOL_THREADS, THREADS, (*matchers, promql.equals("state", "used"))),
        _gauge(THREAD_POOL_THREADS, THREADS, (*matchers, promql.equals("state", "limit"))),
    )


def _connections(matchers: Sequence[str]) -> tuple[str, str]:
    used = promql.equals("db_client_connection_state", "used")
    return (
        _gauge(DB_CLIENT_CONNECTION_COUNT, CONNECTIONS, (*matchers, used)),
        _gauge(DB_CLIENT_CONNECTION_MAX, CONNECTIONS, matchers),
    )


def _gauge(metric: Metric, by: Sequence[str], matchers: Sequence[str]) -> str:
    return promql.total(promql.selector(metric.name, matchers), by)


def _taken(by: Sequence[str], level: Sequence[str], used: str, had: str) -> str:
    return f"max by ({', '.join(by)}) ({used} / ({had} > 0))"
