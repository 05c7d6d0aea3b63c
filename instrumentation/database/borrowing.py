"""Sees connections made, waited for, lent and returned.

`Pool.connect` is wrapped, because no event of SQLAlchemy's fires before a connection is there: a
caller that waits, gives up or is cancelled would never be seen. `Engine.raw_connection`, through
which every engine asks its pool, tells which database the pool is for. Making a connection is
timed around the place that keeps it, so that a user's own `creator` is timed too, and what the
engine runs on a new connection belongs to it.
"""

from __future__ import annotations

import threading
import time
import weakref
from collections.abc import Callable
from typing import Any, Final

from opentelemetry import trace
from sqlalchemy import event
from sqlalchemy.engine import Engine
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.pool import Pool, SingletonThreadPool
from sqlalchemy.pool import base as pool_base

from instrumentation.database import observers
from instrumentation.database.observers import observer, sync
from instrumentation.database.pools import Measures, Watched
from instrumentation.patches import Patch
from instrumentation.telemetry import Telemetry

_WATCHED: Final = "_instrumentation_watched"
_LENT: Final = "_instrumentation_lent"
_NOTICEABLE_SECONDS: Final = 0.001
"""A shorter wait is none, and is spared its exemplar."""

_lock = threading.RLock()
_pools: weakref.WeakSet[Pool] = weakref.WeakSet()


def install() -> None:
    """Set the hooks; once for all applications."""
    for patch in _PATCHES:
        patch.apply()
    event.listen(Pool, "checkin", _returned)
    event.listen(Pool, "detach", _returned)


def uninstall() -> None:
    """Take the hooks away."""
    event.remove(Pool, "detach", _returned)
    event.remove(Pool, "checkin", _returned)
    for patch in _PATCHES:
        patch.undo()
    for pool in tuple(_pools):
        delattr(pool, _WATCHED)
    _pools.clear()


def watch_engines(telemetry: Telemetry) -> None:
    """Show the pools of the engines that were named, before anybody asks them."""
    for engine in telemetry.engines or ():
        found = sync(engine)
        _watch(found.pool, found).measures(telemetry)


def _watch(pool: Pool, engine: Engine | None) -> Watched:
    """What is known of `pool`, kept on it; begun where nothing is."""
    found: Watched | None = getattr(pool, _WATCHED, None)
    if found is not None:
        return found
    with _lock:
        found = getattr(pool, _WATCHED, None)
        if found is None:
            found = Watched(pool, engine)
            setattr(pool, _WATCHED, found)
            _pools.add(pool)
        return found


class Wait:
    """One caller that waits for a connection."""

    __slots__ = ("_began", "_measures", "_watched")

    def __init__(self, watched: Watched, telemetry: Telemetry | None) -> None:
        self._watched = watched
        self._measures = None if telemetry is None else watched.measures(telemetry)
        watched.waiting.add(self)
        self._began = time.perf_counter()

    def end(self, error: BaseException | None) -> float:
        """The caller has its connection, or gave up with `error`; the time now."""
        now = time.perf_counter()
        self._watched.waiting.discard(self)
        if self._measures is not None:
            seconds = now - self._began
            noticeable = seconds > _NOTICEABLE_SECONDS
            self._measures.wait.observe_in(
                trace.get_current_span() if noticeable else None, seconds
            )
            if isinstance(error, PoolTimeoutError):
                self._measures.timeouts.inc()
        return now

    def lent(self, connection: Any, now: float) -> None:
        """Remember on the connection's place since when it is lent."""
        place = getattr(connection, "_connection_record", None)
        if place is None or getattr(connection, "_counter", 1) > 1:
            return  # a pool for one thread lends what this thread has already once more
        if not hasattr(place, _LENT):
            self._watched.add(place)
        setattr(place, _LENT, (now, self._measures))


def _connecting(original: Callable[[Pool], Any]) -> Callable[[Pool], Any]:
    def connect(self: Pool) -> Any:
        wait = _begin(self)
        if wait is None:
            return original(self)
        try:
            connection = original(self)
        except BaseException as error:
            _end(wait, None, error)
            raise
        _end(wait, connection, None)
        return connection

    return connect


def _begin(pool: Pool) -> Wait | None:
    telemetry = observer(pool)
    # What an excluded request borrows is not measured, but nobody else can have it meanwhile.
    if telemetry is None and not observers.anybody(pool):
        return None
    try:
        return Wait(_watch(pool, None), telemetry)
    except Exception as failure:
        _report(telemetry, failure)
        return None


def _end(wait: Wait, connection: Any, error: BaseException | None) -> None:
    try:
        now = wait.end(error)
        if connection is not None:
            wait.lent(connection, now)
    except Exception as failure:
        _report(None, failure)


def _report(telemetry: Telemetry | None, failure: Exception) -> None:
    found = telemetry or next(iter(observers.installed), None)
    if found is not None:
        found.errors.report("database", failure)


def _naming(original: Callable[[Engine], Any]) -> Callable[[Engine], Any]:
    def raw_connection(self: Engine) -> Any:
        pool = self.pool
        if not hasattr(pool, _WATCHED) and observers.anybody(pool):
            _watch(pool, self)
        return original(self)

    return raw_connection


def _making(original: Callable[[Any], None]) -> Callable[[Any], None]:
    def connect(self: Any) -> None:
        began = time.perf_counter()
        original(self)
        _made(self, time.perf_counter() - began)

    return connect


def _made(place: Any, seconds: float) -> None:
    pool: Pool = place._ConnectionRecord__pool
    watched: Watched | None = getattr(pool, _WATCHED, None)
    if watched is None:
        return
    telemetry = observer(pool)
    try:
        watched.add(place)
        if telemetry is not None:
            watched.measures(telemetry).create.observe(seconds)
    except Exception as failure:
        _report(telemetry, failure)


def _returned(connection: object, place: Any) -> None:
    """The connection is back in its pool, or left it for good."""
    lent: tuple[float, Measures | None] | None = getattr(place, _LENT, None)
    if lent is None:
        return
    began, measures = lent
    setattr(place, _LENT, None)
    if measures is not None:
        measures.use.observe(time.perf_counter() - began)


_PATCHES: Final = (
    Patch(Pool, "connect", _connecting),
    Patch(SingletonThreadPool, "connect", _connecting),
    Patch(Engine, "raw_connection", _naming),
    Patch(pool_base._ConnectionRecord, "_ConnectionRecord__connect", _making),
)
