"""The two thread pools of every event loop, and the gauges that show how full they are.

`anyio` is the limiter that Starlette's synchronous endpoints and dependencies share, 40 threads
unless somebody changes `total_tokens`. `executor` is what `asyncio.to_thread` and
`loop.run_in_executor(None, ...)` use.
"""

from __future__ import annotations

import os
import threading
from asyncio import AbstractEventLoop
from collections.abc import Callable
from concurrent.futures import Executor, ThreadPoolExecutor
from typing import Any, Final, NamedTuple
from weakref import WeakKeyDictionary

from anyio import CapacityLimiter
from anyio.to_thread import current_default_thread_limiter

from instrumentation.contract import metrics
from instrumentation.errors import InternalErrors
from instrumentation.histogram import Histogram
from instrumentation.series import Families, Family
from instrumentation.telemetry import Telemetry

ANYIO: Final = "anyio"
EXECUTOR: Final = "executor"

# An executor starts no thread before its first call, so asking one for its default is free.
_DEFAULT_THREADS: Final = ThreadPoolExecutor()._max_workers


class Pools:
    """The thread pools of one event loop.

    Attributes:
        limiter: anyio's default one; None until something on the loop has asked for it.
        executor: the default executor that was set; None while it is the loop's own.
        waiting: the executor's calls that no thread has begun.
        running: the executor's calls that hold a thread.
    """

    def __init__(self) -> None:
        self.limiter: CapacityLimiter | None = None
        self.executor: Executor | None = None
        self.waiting: set[object] = set()
        self.running: set[object] = set()


class Observer:
    """Where the waits and the work of one application's calls are written."""

    def __init__(self, families: Families, errors: InternalErrors) -> None:
        self._wait = families.histogram(metrics.THREAD_POOL_WAIT)
        self._work = families.histogram(metrics.THREAD_POOL_WORK)
        self._errors = errors

    def waited(self, pool: str, route: str, seconds: float) -> None:
        """A call got its thread after `seconds`, or gave up."""
        self._observe(self._wait, pool, route, seconds)

    def worked(self, pool: str, route: str, seconds: float) -> None:
        """A call gave its thread back after `seconds`."""
        self._observe(self._work, pool, route, seconds)

    def _observe(self, family: Family[Histogram], pool: str, route: str, seconds: float) -> None:
        try:
            family.child(pool, route).observe(seconds)
        except Exception as error:
            self._errors.report("threads", error)


observers: dict[Telemetry, Observer] = {}
"""The applications whose calls are observed, by their telemetry."""

_by_loop: WeakKeyDictionary[AbstractEventLoop, Pools] = WeakKeyDictionary()
_lock = threading.Lock()


def pools_of(loop: AbstractEventLoop) -> Pools:
    """The pools of `loop`, made when first asked for."""
    found = _by_loop.get(loop)
    if found is None:
        with _lock:
            found = _by_loop.setdefault(loop, Pools())
    return found


def limiter_of(pools: Pools) -> CapacityLimiter:
    """The default limiter of the running loop, whose `pools` these are."""
    if pools.limiter is None:
        pools.limiter = current_default_thread_limiter()
    return pools.limiter


def refresh(families: Families) -> Callable[[], None]:
    """What brings the gauges of `families` up to date, summed over the loops that are open."""
    threads = families.gauge(metrics.THREAD_POOL_THREADS)
    waiting = families.gauge(metrics.THREAD_POOL_WAITING)

    def update() -> None:
        for pool, count in (_anyio_threads(), _executor_threads()):
            threads.child(pool, "limit").set(count.limit)
            threads.child(pool, "used").set(count.used)
            waiting.child(pool).set(count.waiting)

    return update


class _Count(NamedTuple):
    limit: float
    used: int
    waiting: int


def _anyio_threads() -> tuple[str, _Count]:
    found = [pools.limiter.statistics() for _, pools in _open() if pools.limiter is not None]
    limit = sum(item.total_tokens for item in found)
    used = sum(item.borrowed_tokens for item in found)
    return ANYIO, _Count(limit, used, sum(item.tasks_waiting for item in found))


def _executor_threads() -> tuple[str, _Count]:
    found = _open()
    # Two loops may share one executor.
    limits = {id(_executor(loop, pools) or loop): _limit(loop, pools) for loop, pools in found}
    used = sum(len(pools.running) for _, pools in found)
    waiting = sum(len(pools.waiting) for _, pools in found)
    return EXECUTOR, _Count(sum(limits.values()), used, waiting)


def _limit(loop: AbstractEventLoop, pools: Pools) -> int:
    # There is no public way to ask an executor how many threads it may start.
    limit: int = getattr(_executor(loop, pools), "_max_workers", _DEFAULT_THREADS)
    return limit


def _executor(loop: AbstractEventLoop, pools: Pools) -> Any:
    """The loop's default executor, as far as it can be known.

    asyncio's loops keep it in an attribute. uvloop hides it, so there it is the one that was seen
    being set.
    """
    return pools.executor or getattr(loop, "_default_executor", None)


def _open() -> list[tuple[AbstractEventLoop, Pools]]:
    with _lock:
        return [(loop, pools) for loop, pools in _by_loop.items() if not loop.is_closed()]


def _forget() -> None:
    """In a forked child: the parent's loops and calls aren't there, and its lock may be held."""
    global _lock
    _lock = threading.Lock()
    _by_loop.clear()


os.register_at_fork(after_in_child=_forget)
