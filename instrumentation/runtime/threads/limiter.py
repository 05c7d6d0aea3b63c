"""Calls that go through anyio's default thread limiter, synchronous endpoints among them.

The hook is `anyio.to_thread.run_sync`, a public function that Starlette and FastAPI call by its
module. Code that has imported it by its name goes past the hook: the gauges, which ask the
limiter, count its threads, and the histograms don't.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from functools import wraps
from typing import Any

import anyio.to_thread
from anyio import CapacityLimiter

from instrumentation.context import current, current_route
from instrumentation.runtime.threads.pools import (
    ANYIO,
    Observer,
    limiter_of,
    observers,
    pools_of,
)


class LimitedCall:
    """One call: the function to run, and in the limiter's place while it waits for its turn.

    The wait is measured around the limiter alone, and is 0 where a thread was free: the turns of
    the event loop that anyio takes besides would make a blocked loop look like missing threads.
    """

    __slots__ = ("_func", "_limiter", "_observer", "_route")

    def __init__(
        self, func: Callable[..., Any], limiter: CapacityLimiter, observer: Observer
    ) -> None:
        self._func = func
        self._limiter = limiter
        self._observer = observer
        self._route = current_route()

    async def __aenter__(self) -> None:
        if self._limiter.available_tokens > 0:
            await self._limiter.acquire()
            self._observer.waited(ANYIO, self._route, 0.0)
            return
        began = time.perf_counter()
        try:
            await self._limiter.acquire()
        finally:
            self._observer.waited(ANYIO, self._route, time.perf_counter() - began)

    async def __aexit__(self, *exc_info: object) -> None:
        self._limiter.release()

    def __getattr__(self, name: str) -> Any:
        """Whatever else somebody asks of a limiter."""
        return getattr(self._limiter, name)

    def run(self, *args: Any) -> Any:
        """Run the function, in the thread."""
        began = time.perf_counter()
        try:
            return self._func(*args)
        finally:
            self._observer.worked(ANYIO, self._route, time.perf_counter() - began)


def hook() -> Callable[[], None]:
    """Observe `anyio.to_thread.run_sync`; returns what restores it."""
    module: Any = anyio.to_thread
    original = module.run_sync

    @wraps(original)
    async def run_sync(
        func: Callable[..., Any], *args: Any, limiter: Any = None, **options: Any
    ) -> Any:
        call = _call(func, limiter)
        if call is None:
            return await original(func, *args, limiter=limiter, **options)
        return await original(call.run, *args, limiter=call, **options)

    module.run_sync = run_sync

    def restore() -> None:
        # Where somebody has wrapped ours, it stays and lets every call pass.
        if module.run_sync is run_sync:
            module.run_sync = original

    return restore


def _call(func: Callable[..., Any], limiter: Any) -> LimitedCall | None:
    """The call to observe; None for another limiter, an unobserved context, or trio."""
    telemetry = current()
    observer = None if telemetry is None else observers.get(telemetry)
    if observer is None:
        return None
    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:
        return None
    shared = limiter_of(pools_of(loop))
    return LimitedCall(func, shared, observer) if limiter is None or limiter is shared else None
