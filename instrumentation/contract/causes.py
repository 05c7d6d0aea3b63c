"""Questions about what slows a service down or makes it fail, as functions named after answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from instrumentation.contract import promql, recorded
from instrumentation.contract.metrics import (
    ASYNCIO_EVENT_LOOP_BLOCKED,
    ASYNCIO_EVENT_LOOP_CULPRIT_SECONDS,
    DB_CLIENT_CONNECTION_PENDING,
    DB_CLIENT_CONNECTION_TIMEOUTS,
    DB_CLIENT_CONNECTION_WAIT_TIME,
    HTTP_CLIENT_REQUEST_DURATION,
    HTTP_CLIENT_RETRIES,
    PYTHON_GC_PAUSE,
    THREAD_POOL_WAIT,
    THREAD_POOL_WAITING,
    Metric,
)
from instrumentation.contract.recorded import DEPENDENCY, ROUTE, SERVICE, Level

if TYPE_CHECKING:
    from instrumentation.contract.slo import Numbers

BLOCKED: Final = "EventLoopBlocked"
"""The cause whose culprit is known to the line."""

THREAD_POOL: Final = Level("job_pool", (*SERVICE.labels, "pool"))
CONNECTION_POOL: Final = Level("job_pool", (*SERVICE.labels, "db_client_connection_pool_name"))
TASK: Final = Level("job_task", (*SERVICE.labels, "task"))
QUEUE: Final = Level("job_queue", (*SERVICE.labels, "queue"))

SUBJECTS: Final = (
    "http_route", "pool", "db_client_connection_pool_name", "server_address", "task", "queue",
)  # fmt: skip
"""Labels that tell which part of a service a cause is about."""

_RECENT_SECONDS: Final = 600
FAILED: Final = promql.matches("error_type", "429|5..|[^45].*")
"""What a dependency is to blame for: not the caller's own mistakes (4xx), but throttling (429)."""


def blocked_loop(numbers: Numbers) -> str:
    """Share of the time that the worst instance's event loop stood still, where it is large."""
    held = promql.spent(
        ASYNCIO_EVENT_LOOP_BLOCKED, numbers.loop.window, (*SERVICE.labels, "instance")
    )
    return f"{_worst(held, SERVICE)} > {numbers.loop.blocked:g}"


def blocking_endpoint(numbers: Numbers) -> str:
    """99th percentile of the stretches in which a route held the loop, where it is long."""
    loop = numbers.loop
    return _long(
        0.99, ASYNCIO_EVENT_LOOP_BLOCKED, ROUTE, loop.endpoint_window, loop.endpoint,
        loop.min_blocks,
    )  # fmt: skip


def worst_culprit(*matchers: str) -> str:
    """The line of code that held the event loop for longest, of the last minutes."""
    held = promql.rate(
        ASYNCIO_EVENT_LOOP_CULPRIT_SECONDS, _RECENT_SECONDS, ("http_route", "culprit"), matchers
    )
    return f"topk(1, {held} > 0)"


def saturated_threads(numbers: Numbers) -> str:
    """A thread pool for which calls wait: for how long (p95), or else how many at the least."""
    threads = numbers.threads
    waits = _long(
        0.95, THREAD_POOL_WAIT, THREAD_POOL, threads.window, threads.waited, threads.min_calls
    )
    return promql.either(waits, _queued(THREAD_POOL_WAITING, threads.queued, THREAD_POOL))


def thread_wait(window: float, *matchers: str) -> str:
    """95th percentile of the waits for a thread, in seconds."""
    return promql.present(promql.quantile(0.95, THREAD_POOL_WAIT, window, ("pool",), matchers))


def threads_wanted(*matchers: str) -> str:
    """How many calls wait for a thread."""
    return f"sum({promql.selector(THREAD_POOL_WAITING.name, matchers)}) > 0"


def exhausted_pool(numbers: Numbers) -> str:
    """A connection pool that callers wait for: for how long (p95), or else how many at least.

    Where nobody gets a connection any more no wait ends, and only the second half sees it.
    """
    pool = numbers.pool
    waits = _long(
        0.95, DB_CLIENT_CONNECTION_WAIT_TIME, CONNECTION_POOL, pool.window, pool.waited,
        pool.min_waits,
    )  # fmt: skip
    queued = _queued(DB_CLIENT_CONNECTION_PENDING, pool.queued, CONNECTION_POOL)
    return promql.either(waits, queued)


def connection_wait(window: float, *matchers: str) -> str:
    """95th percentile of the waits for a connection, in seconds."""
    by = ("db_client_connection_pool_name",)
    return promql.present(
        promql.quantile(0.95, DB_CLIENT_CONNECTION_WAIT_TIME, window, by, matchers)
    )


def connections_wanted(*matchers: str) -> str:
    """How many callers wait for a connection."""
    return f"sum({promql.selector(DB_CLIENT_CONNECTION_PENDING.name, matchers)}) > 0"


def pool_timeouts(numbers: Numbers) -> str:
    """How many callers gave up waiting for a connection, where they are more than a few."""
    pool = numbers.pool
    gave_up = promql.events(DB_CLIENT_CONNECTION_TIMEOUTS, pool.window, CONNECTION_POOL.labels)
    return f"{gave_up} >= {pool.timeouts:g}"


def failing_dependency(numbers: Numbers) -> str:
    """Share of the requests to a dependency that it failed, where it is large."""
    dependency, by = numbers.dependency, DEPENDENCY.labels
    window = dependency.window
    failed = promql.observations(HTTP_CLIENT_REQUEST_DURATION, window, by, (FAILED,))
    asked = promql.observations(HTTP_CLIENT_REQUEST_DURATION, window, by)
    return promql.every(
        f"{failed} / {asked} > {dependency.failed:g}",
        f"{failed} * {window:g} >= {dependency.min_failed:g}",
        f"{asked} * {window:g} >= {dependency.min_requests:g}",
    )


def dependency_p95(window: float) -> str:
    """95th percentile of a dependency's response times. Recorded: `recorded.DEPENDENCY_P95_5M`."""
    return promql.present(
        promql.quantile(0.95, HTTP_CLIENT_REQUEST_DURATION, window, DEPENDENCY.labels)
    )


def slow_dependency(numbers: Numbers) -> str:
    """95th percentile of a dependency's response times, where it is long and unusually so."""
    dependency = numbers.dependency
    p95 = recorded.DEPENDENCY_P95_5M.at(DEPENDENCY)
    asked = promql.observations(HTTP_CLIENT_REQUEST_DURATION, dependency.window, DEPENDENCY.labels)
    past = f"[{promql.duration(dependency.past)}] offset {promql.duration(dependency.min_past)}"
    usual = f"{p95} <= {dependency.slower:g} * quantile_over_time(0.5, {p95}{past})"
    long = promql.every(
        f"{p95} > {dependency.slow:g}",
        f"{asked} * {dependency.window:g} >= {dependency.min_requests:g}",
    )
    return f"{long}\nunless {usual}"


def storming_retries(numbers: Numbers) -> str:
    """Retries for each request to a dependency, where they are so many that they are load."""
    dependency, by = numbers.dependency, DEPENDENCY.labels
    again = promql.rate(HTTP_CLIENT_RETRIES, dependency.window, by)
    asked = promql.observations(HTTP_CLIENT_REQUEST_DURATION, dependency.window, by)
    return promql.every(
        f"{again} / {asked} > {dependency.retried:g}",
        f"{again} * {dependency.window:g} >= {dependency.min_retries:g}",
    )


def garbage_pauses(numbers: Numbers) -> str:
    """Share of the time that the garbage collector stopped the worst instance, where large."""
    garbage = numbers.garbage
    stopped = promql.spent(PYTHON_GC_PAUSE, garbage.window, (*SERVICE.labels, "instance"))
    return f"{_worst(stopped, SERVICE)} > {garbage.paused:g}"


def _long(
    q: float, metric: Metric, level: Level, window: float, seconds: float, least: float
) -> str:
    """A quantile where it is long, and the window held enough observations to tell."""
    return promql.every(
        f"{promql.quantile(q, metric, window, level.labels)} > {seconds:g}",
        f"{promql.observations(metric, window, level.labels)} * {window:g} >= {least:g}",
    )


def _queued(gauge: Metric, window: float, level: Level) -> str:
    """How many waited at every scrape of the window, in the worst instance.

    A gauge is seen at scrapes only. That somebody waits at each of them is no chance.
    """
    always = f"min_over_time({promql.selector(gauge.name)}[{promql.duration(window)}])"
    return f"{_worst(always, level)} > 0"


def _worst(expression: str, level: Level) -> str:
    return f"max by ({', '.join(level.labels)}) ({expression})"
