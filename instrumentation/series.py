"""The metric families of a registry: made once, bounded in their number of series."""

from __future__ import annotations

import threading
import weakref
from typing import Any, Generic, TypeVar

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from instrumentation.contract import metrics
from instrumentation.contract.metrics import Metric

M = TypeVar("M", Counter, Gauge, Histogram)

OVERFLOW = "_overflow"


class Family(Generic[M]):
    """One metric family, with its children kept by their label values.

    A lookup here is one dictionary access; `labels()` of prometheus-client takes a lock and
    checks its arguments each time. Past `limit` label combinations, new ones share the child
    whose every label is `_overflow`, and `overflow` is counted, so a label that grows without
    bound can't take the process down.
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
        self._parent: M = kind(
            metric.name, metric.help, metric.labels, registry=registry, **arguments
        )
        self._children: dict[tuple[str, ...], M] = {} if metric.labels else {(): self._parent}
        self._limit = limit
        self._overflow = overflow
        self._metric = metric
        self._lock = threading.Lock()

    def child(self, *values: str) -> M:
        """The child for these label values, in the contract's order."""
        try:
            return self._children[values]
        except KeyError:
            return self._add(values)

    def _add(self, values: tuple[str, ...]) -> M:
        with self._lock:
            if values not in self._children and len(self._children) < self._limit:
                self._children[values] = self._parent.labels(*values)
            if values in self._children:
                return self._children[values]
        self._overflow.labels(self._metric.name).inc()
        folded: M = self._parent.labels(*(OVERFLOW for _ in self._metric.labels))
        return folded


class Families:
    """The families that the instrumentation writes to, all of one registry."""

    def __init__(self, registry: CollectorRegistry, limit: int) -> None:
        overflow = metrics.INSTRUMENTATION_SERIES_OVERFLOW
        counter = Counter(overflow.name, overflow.help, overflow.labels, registry=registry)

        def family(kind: type[M], metric: Metric) -> Family[M]:
            return Family(kind, metric, registry, limit, counter)

        self.request_duration = family(Histogram, metrics.HTTP_SERVER_REQUEST_DURATION)
        self.active_requests = family(Gauge, metrics.HTTP_SERVER_ACTIVE_REQUESTS)
        self.aborted_requests = family(Counter, metrics.HTTP_SERVER_ABORTED_REQUESTS)
        self.websocket_duration = family(Histogram, metrics.WEBSOCKET_CONNECTION_DURATION)
        self.websocket_messages = family(Counter, metrics.WEBSOCKET_MESSAGES)
        self.outbound_duration = family(Histogram, metrics.HTTP_CLIENT_REQUEST_DURATION)
        self.database_duration = family(Histogram, metrics.DB_CLIENT_OPERATION_DURATION)
        self.spans = family(Counter, metrics.INSTRUMENTATION_SPANS)
        self.span_queue_size = family(Gauge, metrics.INSTRUMENTATION_SPAN_QUEUE_SIZE)
        self.internal_errors = family(Counter, metrics.INSTRUMENTATION_INTERNAL_ERRORS)


_by_registry: weakref.WeakKeyDictionary[CollectorRegistry, Families] = weakref.WeakKeyDictionary()
_lock = threading.Lock()


def families(registry: CollectorRegistry, limit: int) -> Families:
    """The families of `registry`: the same ones for every application that measures into it.

    Arguments:
        limit: most label combinations a family keeps; the first caller's counts.
    """
    with _lock:
        found = _by_registry.get(registry)
        if found is None:
            found = _by_registry[registry] = Families(registry, limit)
        return found
