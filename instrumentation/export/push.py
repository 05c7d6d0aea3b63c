"""The registry, sent over OTLP every so often and once more at the end."""

from __future__ import annotations

import threading
import time
import weakref
from importlib.metadata import version

from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.sdk.metrics.export import (
    MetricExportResult,
    MetricsData,
    ResourceMetrics,
    ScopeMetrics,
)
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from prometheus_client import CollectorRegistry, Counter, Histogram, Summary

from instrumentation import variables
from instrumentation.errors import InternalErrors
from instrumentation.export import bridge, forks, timeout
from instrumentation.export.bridge import Bridge, Counts
from instrumentation.export.periodic import Periodic
from instrumentation.export.resource import of_this_process, resource
from instrumentation.settings import Settings

_SCOPE = InstrumentationScope("instrumentation", version("fastapi-observability-bundle"))


class Push:
    """Sends what a registry holds, the user's own metrics too, under this process's identity.

    A process that is forked sends what it counts itself: what its parent had counted until then
    is the parent's to tell.

    Attributes:
        holders: the applications that are measured into the registry; each gives it back by
            `release`.
    """

    def __init__(
        self, settings: Settings, registry: CollectorRegistry, errors: InternalErrors
    ) -> None:
        self._settings = settings
        self._registry = registry
        self.holders = 0
        self._last = False
        self._start = self._news = 0
        self._counted: Counts = {}
        self._inherited: Counts | None = None
        self._begin(resource(settings))
        forks.before(self._before_fork)
        # Before the thread's own: a child's thread starts with what is set here.
        forks.in_child(self._after_fork)
        self._periodic = Periodic(
            "instrumentation-metrics", self._send, settings.metric_interval_seconds, errors
        )

    def start(self) -> None:
        """Start the thread."""
        self._periodic.start()

    def flush(self, timeout: float, *, last: bool = False) -> bool:
        """Send now; True if that was done within `timeout` seconds.

        `last` says that the process ends.
        """
        self._last = last
        try:
            return self._periodic.flush(timeout)
        finally:
            self._last = False

    def release(self, timeout: float) -> None:
        """Send; the last holder stops the thread."""
        self.holders -= 1
        self.flush(timeout, last=self.holders <= 0)
        if self.holders <= 0:
            self._periodic.stop()
            self._exporter.shutdown()

    def _send(self) -> bool:
        reading = Bridge(self._start, self._news, self._inherited, self._last)
        metrics = list(reading.read(self._registry.collect()))
        scope = ScopeMetrics(_SCOPE, metrics, "")
        data = MetricsData([ResourceMetrics(self._resource, [scope], self._resource.schema_url)])
        sent = self._exporter.export(data) is MetricExportResult.SUCCESS
        if sent:
            self._news = reading.now
        return sent

    def _begin(self, found: Resource) -> None:
        self._resource = found
        self._exporter = exporter(self._settings)
        self._start = self._news = time.time_ns()

    def _before_fork(self) -> None:
        """Remember what is counted until now: in the child nobody may hold a lock to read it."""
        kinds = (Counter, Histogram, Summary)
        # Other collectors ask the process anew; running them at every fork could take long.
        found = list(getattr(self._registry, "_collector_to_names", ()))
        self._counted = bridge.counts(
            family for each in found if isinstance(each, kinds) for family in each.collect()
        )

    def _after_fork(self) -> None:
        self._inherited = self._counted
        self._begin(of_this_process(self._resource))


_pushes: weakref.WeakValueDictionary[int, Push] = weakref.WeakValueDictionary()
_lock = threading.Lock()


def of(registry: CollectorRegistry, settings: Settings, errors: InternalErrors) -> Push:
    """What sends `registry`: one for all applications that are measured into it.

    The settings are those of the first.
    """
    with _lock:
        found = _pushes.get(id(registry))
        if found is None or not found.holders:
            found = _pushes[id(registry)] = Push(settings, registry, errors)
        found.holders += 1
        return found


def exporter(settings: Settings) -> OTLPMetricExporter:
    """The SDK's exporter, with its configuration by the environment."""
    endpoint = settings.otlp_endpoint
    variables.check_exporter("METRICS", endpoint=endpoint is None)
    return OTLPMetricExporter(
        endpoint.rstrip("/") + "/v1/metrics" if endpoint else None,
        timeout=timeout.seconds("METRICS", settings.metric_timeout_seconds),
    )
