"""Calls that go to an event loop's default executor: `asyncio.to_thread`, name resolution, ...

`run_in_executor` is replaced on the classes of the loops, because `asyncio.to_thread` looks it up
there, and uvloop's loops take no other hook.
"""

from __future__ import annotations

import asyncio
import inspect
import sys
import time
from asyncio import AbstractEventLoop
from collections.abc import Callable
from concurrent.futures import Executor
from functools import wraps
from typing import Any

from instrumentation.context import current, current_route
from instrumentation.runtime.threads.pools import EXECUTOR, Pools, observers, pools_of

_restore: dict[type, Callable[[], None]] = {}


class ExecutorCall:
    """One call, in the function's place.

    A call is either in `waiting`, in `running` or in neither: whoever takes it out of `waiting`
    measures how long it was there, so no call is measured twice, whatever ends it.
    """

    __slots__ = ("_asked", "_func", "_observer", "_pools", "_route")

    def __init__(self, func: Callable[..., Any], pools: Pools) -> None:
        telemetry = current()
        self._func = func
        self._pools = pools
        self._observer = None if telemetry is None else observers.get(telemetry)
        self._route = "" if self._observer is None else current_route()
        self._asked = time.perf_counter()
        pools.waiting.add(self)

    def __call__(self, *args: Any) -> Any:
        """Run the function, in the thread."""
        began = time.perf_counter()
        self._pools.running.add(self)
        self._leave_queue(began)
        try:
            return self._func(*args)
        finally:
            self._pools.running.discard(self)
            if self._observer is not None:
                self._observer.worked(EXECUTOR, self._route, time.perf_counter() - began)

    def refused(self) -> None:
        """The executor did not take the call."""
        self._pools.waiting.discard(self)

    def done(self, _: object) -> None:
        """The call is over, or was cancelled before a thread took it."""
        self._leave_queue(time.perf_counter())

    def _leave_queue(self, now: float) -> None:
        try:
            self._pools.waiting.remove(self)
        except KeyError:
            return
        if self._observer is not None:
            self._observer.waited(EXECUTOR, self._route, now - self._asked)


def hook() -> Callable[[], None]:
    """Observe the loops of asyncio, and uvloop's where it is loaded; returns what restores them."""
    hook_class(asyncio.BaseEventLoop)
    uvloop = sys.modules.get("uvloop")
    if uvloop is not None:
        hook_class(uvloop.Loop)

    def restore() -> None:
        while _restore:
            _restore.popitem()[1]()

    return restore


def hook_class(cls: type) -> None:
    """Observe the loops of `cls`, unless it, or the class it inherits this from, is already."""
    run_before: Any = getattr(cls, "run_in_executor", None)
    set_before: Any = getattr(cls, "set_default_executor", None)
    if run_before is None or set_before is None or hasattr(run_before, "_instrumentation"):
        return

    @wraps(run_before)
    def run_in_executor(loop: AbstractEventLoop, executor: Any, func: Any, *args: Any) -> Any:
        pools = pools_of(loop)
        if not observers or not _is_default(executor, pools) or not _is_plain(func):
            return run_before(loop, executor, func, *args)
        call = ExecutorCall(func, pools)
        try:
            future = run_before(loop, executor, call, *args)
        except BaseException:
            call.refused()
            raise
        future.add_done_callback(call.done)
        return future

    @wraps(set_before)
    def set_default_executor(loop: AbstractEventLoop, executor: Executor) -> None:
        set_before(loop, executor)
        pools_of(loop).executor = executor

    run_in_executor._instrumentation = True  # type: ignore[attr-defined]
    replaced = {"run_in_executor": run_in_executor, "set_default_executor": set_default_executor}
    _replace(cls, replaced)


def _replace(cls: type, replaced: dict[str, Any]) -> None:
    before = {name: vars(cls)[name] for name in replaced if name in vars(cls)}
    try:
        for name, function in replaced.items():
            setattr(cls, name, function)
    except TypeError:  # a class of C code: its loops' default executor can't be observed
        return

    def restore() -> None:
        for name, function in replaced.items():
            # Where somebody has wrapped ours, it stays and lets every call pass.
            if vars(cls).get(name) is not function:
                continue
            if name in before:
                setattr(cls, name, before[name])
            else:
                delattr(cls, name)

    _restore[cls] = restore


def _is_default(executor: Any, pools: Pools) -> bool:
    return executor is None or (pools.executor is not None and executor is pools.executor)


def _is_plain(func: Any) -> bool:
    """Neither a coroutine (function), which the loop refuses, nor a call that is observed."""
    refused = inspect.iscoroutine(func) or inspect.iscoroutinefunction(func)
    return not refused and not isinstance(func, ExecutorCall)
