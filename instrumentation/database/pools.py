"""The pools that are watched, and what their gauges say at each collection."""

from __future__ import annotations

import threading
import weakref
from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import Any, Final, NamedTuple

from sqlalchemy.engine import Engine
from sqlalchemy.pool import AssertionPool, ConnectionPoolEntry, Pool, QueuePool, SingletonThreadPool

from instrumentation.contract import metrics
from instrumentation.database.targets import target
from instrumentation.series import Families
from instrumentation.telemetry import Telemetry

_UNNAMED: Final = "pool"


class State(NamedTuple):
    """What a pool's gauges say. `most` is None where the pool has no maximum."""

    idle: int = 0
    used: int = 0
    pending: int = 0
    most: int | None = None


class Measures:
    """One pool's histograms and counters in one registry."""

    def __init__(self, families: Families, name: str) -> None:
        self.create = families.histogram(metrics.DB_CLIENT_CONNECTION_CREATE_TIME).child(name)
        self.wait = families.histogram(metrics.DB_CLIENT_CONNECTION_WAIT_TIME).child(name)
        self.use = families.histogram(metrics.DB_CLIENT_CONNECTION_USE_TIME).child(name)
        self.timeouts = families.counter(metrics.DB_CLIENT_CONNECTION_TIMEOUTS).child(name)


class Watched:
    """One pool: who waits for it, and which connections it has made.

    The pool's own counts are not asked: those of `QueuePool` go below zero when a connection
    comes back after `dispose()`, and they count places whose connection was invalidated. A place
    knows whether it holds a connection, and whether that is lent.

    Attributes:
        name: the label of the pool.
        waiting: one object for each caller that waits; adding and taking away are atomic.
    """

    def __init__(self, pool: Pool, engine: Engine | None) -> None:
        self.name = pool.logging_name or (target(engine).pool_name() if engine else _UNNAMED)
        self.waiting: set[object] = set()
        self._pool = weakref.ref(pool)
        self._engine = None if engine is None else weakref.ref(engine)
        # Reentrant, like every lock here: the collector may run a forgotten connection's return,
        # and with it any listener, in the very thread that holds it.
        self._places: weakref.WeakSet[ConnectionPoolEntry] = weakref.WeakSet()
        self._lock = threading.RLock()
        self._measures: tuple[Telemetry, Measures] | None = None
        for place in _idle(pool):
            self.add(place)

    def add(self, place: ConnectionPoolEntry) -> None:
        """Watch a place of the pool, which holds one connection after another."""
        with self._lock:
            self._places.add(place)

    def measures(self, telemetry: Telemetry) -> Measures:
        """The histograms of this pool for `telemetry`, whose gauges tell of it from now on."""
        if self._measures is None or self._measures[0] is not telemetry:
            # One pair, replaced as a whole: another thread sees the old one or the new one.
            self._measures = (telemetry, Measures(telemetry.families, self.name))
            gauges(telemetry).show(self)
        return self._measures[1]

    def state(self) -> State:
        """How the pool is now."""
        with self._lock:
            open_places = [place for place in self._places if place.dbapi_connection is not None]
        used = sum(place.in_use for place in open_places)
        return State(len(open_places) - used, used, len(self.waiting), self._most())

    def _most(self) -> int | None:
        pool = self._pool()
        engine = None if self._engine is None else self._engine()
        if pool is None or (engine is not None and engine.pool is not pool):
            return None  # disposed: what it has lent is still open, but it lends no more
        return _maximum(pool)


class Gauges:
    """The gauges of one registry, for every pool that is observed there."""

    def __init__(self, families: Families) -> None:
        self._count = families.gauge(metrics.DB_CLIENT_CONNECTION_COUNT)
        self._most = families.gauge(metrics.DB_CLIENT_CONNECTION_MAX)
        self._pending = families.gauge(metrics.DB_CLIENT_CONNECTION_PENDING)
        self._watched: weakref.WeakSet[Watched] = weakref.WeakSet()
        self._names: set[str] = set()
        self._limited: set[str] = set()
        self._lock = threading.RLock()
        self.users = 0
        self.forget: Callable[[], None] = families.on_collect(self.refresh)

    def show(self, watched: Watched) -> None:
        """Tell of this pool from now on."""
        with self._lock:
            self._watched.add(watched)

    def close(self) -> None:
        """Tell of no pool any more."""
        with self._lock:
            self._watched.clear()
        self.refresh()
        self.forget()

    def refresh(self) -> None:
        """Set every gauge; pools of one name are added up, and one that is gone is at zero."""
        with self._lock:
            found: dict[str, list[State]] = defaultdict(list)
            for watched in self._watched:
                found[watched.name].append(watched.state())
            self._names |= found.keys()
            for name in self._names:
                self._set(name, found[name])

    def _set(self, name: str, states: Iterable[State]) -> None:
        states = tuple(states)
        self._count.child(name, "idle").set(sum(state.idle for state in states))
        self._count.child(name, "used").set(sum(state.used for state in states))
        self._pending.child(name).set(sum(state.pending for state in states))
        limits = [state.most for state in states if state.most is not None]
        if limits:
            self._limited.add(name)
        if name in self._limited:
            self._most.child(name).set(sum(limits))


_gauges: dict[Families, Gauges] = {}
_lock = threading.RLock()


def gauges(telemetry: Telemetry) -> Gauges:
    """The gauges of the telemetry's registry."""
    with _lock:
        found = _gauges.get(telemetry.families)
        if found is None:
            found = _gauges[telemetry.families] = Gauges(telemetry.families)
        return found


def install(telemetry: Telemetry) -> None:
    """Make the gauges; applications that share a registry share them."""
    gauges(telemetry).users += 1


def uninstall(telemetry: Telemetry) -> None:
    """Bring the gauges to zero once no application measures into their registry any more."""
    made = gauges(telemetry)
    made.users -= 1
    if made.users == 0:
        del _gauges[telemetry.families]
        made.close()


def _maximum(pool: Pool) -> int | None:
    """Most connections that `pool` may have open, None where it sets no limit."""
    if isinstance(pool, QueuePool):
        overflow = pool._max_overflow  # SQLAlchemy tells it in no public way
        return pool.size() + overflow if overflow >= 0 else None
    if isinstance(pool, SingletonThreadPool):
        return pool.size
    return 1 if isinstance(pool, AssertionPool) else None


def _idle(pool: Pool) -> Iterable[Any]:
    """The places that wait in a pool which was used before anybody watched it.

    They lie in private attributes. Where a release has others, the places are found when they
    are next lent.
    """
    queue: Any = getattr(pool, "_pool", None)
    queue = getattr(queue, "_queue", queue)  # the one inside of asyncio's
    entries = getattr(queue, "queue", None) or getattr(queue, "_queue", None) or ()
    return tuple(entry for entry in tuple(entries) if isinstance(entry, ConnectionPoolEntry))
