"""Thread pools: how many threads there are, who waits for one, who holds one and for how long."""

from __future__ import annotations

import threading
from asyncio import AbstractEventLoop
from collections.abc import Callable

from instrumentation.runtime.threads import executor, limiter
from instrumentation.runtime.threads.pools import Observer, limiter_of, observers, pools_of, refresh
from instrumentation.telemetry import Telemetry

_lock = threading.Lock()
_restore: list[Callable[[], None]] = []


def install(telemetry: Telemetry) -> None:
    """Observe the thread pools for `telemetry`; the hooks are set once for all applications."""
    families = telemetry.families
    with _lock:
        if not _restore:
            _restore.extend((limiter.hook(), executor.hook()))
        observers[telemetry] = Observer(families, telemetry.errors)
    telemetry.on_loop(_meet)
    telemetry.on_uninstrument(families.on_collect(refresh(families)))
    telemetry.on_uninstrument(lambda: _uninstall(telemetry))


def _meet(loop: AbstractEventLoop) -> None:
    """Know the running loop's pools before their first call."""
    executor.hook_class(type(loop))
    limiter_of(pools_of(loop))


def _uninstall(telemetry: Telemetry) -> None:
    with _lock:
        observers.pop(telemetry, None)
        while not observers and _restore:
            _restore.pop()()
