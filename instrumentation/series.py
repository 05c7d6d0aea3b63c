"""The metric families of a registry: made once, bounded in their number of series."""

from __future__ import annotations

import logging
import threading
import weakref
from collections.abc import Callable, Iterable
from typing import Any, Generic, TypeVar

from prometheus_client import CollectorRegistry, Counter

from instrumentation.afterwards import catch_up
from instrumentation.contract import metrics
from instrumentation.contract.metrics import Metric
from instrumentation.export import directory
from instrumentation.gauge import Gauge, Ongoing
from instrumentation.histogram import Histogram

M = TypeVar("M", Counter, Gauge, Ongoing, Histogram)

OVERFLOW = "_overflow"

logger = logging.getLogger("instrumentation")


class Family(dict[tuple[str, ...], M], Generic[M]):
    """The children of one metric family by their label values, in the contract's order.

    `family[values]` makes the child where there is none. It is one dictionary access;
    `labels()` of prometheus-client takes a lock and checks its arguments each time. Past `limit`
    label combinations, new ones share the child whose every label is `_overflow`, and `overflow`
    is counted, so a label that grows without bound can't take the process down.
    """

    def __init__(
        self,
        kind: type[M],
        metric: Metric,
        registry: CollectorRegistry,
        limit: int,
        overflow: Counter,
    ) -> None:
        arguments: dict[str, Any] = {"buckets": metric.buckets} if metric.buckets else {}
        if issubclass(kind, Gauge):
            # A worker's gauges go with it; prometheus-client keeps them for good by default.
            arguments["multiprocess_mode"] = f"live{metric.across}"
        self._parent: M = kind(
            metric.name, metric.help, metric.labels, registry=registry, **arguments
        )
        if not metric.labels:
            self[()] = self._parent
        self._limit = limit if metric.limit is None else min(limit, metric.limit)
        self._overflow = overflow
        self._metric = metric
        self._lock = threading.Lock()

    def child(self, *values: str) -> M:
        """The child for these label values."""
        return self[values]

    def __missing__(self, values: tuple[str, ...]) -> M:
        with self._lock:
            if values not in self and len(self) < self._limit:
                self[values] = self._parent.labels(*values)
            if values in self:
                return self[values]
        self._overflow.labels(self._metric.name).inc()
        folded: M = self._parent.labels(*(OVERFLOW for _ in self._metric.labels))
        return folded


class Refresh:
    """Brings gauges up to date before anybody reads the registry.

    A collector without metrics of its own, registered before every family: the callbacks run
    whoever collects, our `/metrics`, a push, or a server of the user's.
    """

    def __init__(self) -> None:
        self._callbacks: list[Callable[[], object]] = []

    def add(self, callback: Callable[[], object]) -> Callable[[], None]:
        """Call `callback` before each collection; returns what takes it away again."""
        self._callbacks.append(callback)
        return lambda: self._callbacks.remove(callback)

    def collect(self) -> Iterable[Any]:
        """Run the callbacks; there is nothing to yield."""
        for callback in (catch_up, *self._callbacks):
            try:
                callback()
            except Exception:
                logger.exception("a gauge could not be brought up to date")
        return ()

    def describe(self) -> Iterable[Any]:
        """No names are taken."""
        return ()


class Families:
    """The families that the instrumentation writes to, all of one registry.

    The attributes are those that every application has. What is observed only where it exists
    (pools, queues, threads) asks for its family by `counter`, `gauge` or `histogram`.
    """

    def __init__(self, registry: CollectorRegistry, limit: int) -> None:
        self._refresh = Refresh()
        registry.register(self._refresh)
        overflow = metrics.INSTRUMENTATION_SERIES_OVERFLOW
        counter = Counter(overflow.name, overflow.help, overflow.labels, registry=registry)
        self._made: dict[str, Any] = {}
        self._lock = threading.Lock()

        def family(kind: type[M], metric: Metric) -> Family[M]:
            with self._lock:
                if metric.name not in self._made:
                    self._made[metric.name] = Family(kind, metric, registry, limit, counter)
                found: Family[M] = self._made[metric.name]
                return found

        self._family = family
        self.request_duration = family(Histogram, metrics.HTTP_SERVER_REQUEST_DURATION)
        self.active_requests = family(Ongoing, metrics.HTTP_SERVER_ACTIVE_REQUESTS)
        self.aborted_requests = family(Counter, metrics.HTTP_SERVER_ABORTED_REQUESTS)
        self.websocket_duration = family(Histogram, metrics.WEBSOCKET_CONNECTION_DURATION)
        self.websocket_messages = family(Counter, metrics.WEBSOCKET_MESSAGES)
        self.outbound_duration = family(Histogram, metrics.HTTP_CLIENT_REQUEST_DURATION)
        self.database_duration = family(Histogram, metrics.DB_CLIENT_OPERATION_DURATION)
        self.spans = family(Counter, metrics.INSTRUMENTATION_SPANS)
        self.span_queue_size = family(Gauge, metrics.INSTRUMENTATION_SPAN_QUEUE_SIZE)
        self.internal_errors = family(Counter, metrics.INSTRUMENTATION_INTERNAL_ERRORS)

    def counter(self, metric: Metric) -> Family[Counter]:
        """The family of a counter, made when it is first asked for."""
        return self._family(Counter, metric)

    def gauge(self, metric: Metric) -> Family[Gauge]:
        """The family of a gauge, made when it is first asked for."""
        return self._family(Gauge, metric)

    def histogram(self, metric: Metric) -> Family[Histogram]:
        """The family of a histogram, made when it is first asked for."""
        return self._family(Histogram, metric)

    def on_collect(self, callback: Callable[[], object]) -> Callable[[], None]:
        """Call `callback` before each collection; returns what takes it away again.

        It runs in the thread that collects, never on the event loop.
        """
        return self._refresh.add(callback)

    def refresh(self) -> None:
        """Bring the gauges up to date where nobody collects the registry itself."""
        self._refresh.collect()


_by_registry: weakref.WeakKeyDictionary[CollectorRegistry, Families] = weakref.WeakKeyDictionary()
_lock = threading.Lock()


def families(registry: CollectorRegistry, limit: int) -> Families:
    """The families of `registry`: the same ones for every application that measures into it.

    Where metrics are written to files, a process has one set of files whatever the registry: two
    writers of one value would overwrite each other.

    Arguments:
        limit: most label combinations a family keeps; the first caller's counts.
    """
    with _lock:
        found = _by_registry.get(registry)
        if found is None and directory.is_active():
            found = next(iter(_by_registry.values()), None)
        if found is None:
            found = _by_registry[registry] = Families(registry, limit)
        return found
