"""An incident that is made: every series that a dashboard reads, and the last ten minutes are bad.

Names and labels are the contract's, so what it gets more of is here too. Three instances of a
service, many services, long routes and long names are there to be too much for a narrow page.
"""

from __future__ import annotations

import itertools
import math
import zlib
from collections.abc import Iterator, Mapping, Sequence
from statistics import NormalDist
from typing import Final, Protocol

from instrumentation.contract import metrics, panels, promql, recorded, slo
from instrumentation.contract.metrics import Metric
from instrumentation.contract.panels import pipeline
from instrumentation.contract.recorded import Series

STEP_SECONDS: Final = 15
SECONDS: Final = 1800
BAD_SECONDS: Final = 600

ROUTES: Final = (
    "/api/v1/products",
    "/api/v1/orders/{order_id}",
    "/api/v1/customers/{customer_id}/subscriptions/{subscription_id}/invoices/{invoice_id}",
)
CULPRIT: Final = "demo_service/faults/blocked_loop.py:42 reserve_the_inventory_of_every_warehouse"
SERVICES: Final = {
    "orders": ("10.0.12.7:8000", "10.0.12.8:8000", "orders-6c9f4d7b58-x2vlq:8000"),
    "payments": ("payments-7d5c:8001",),
}
HOSTILE: Final = "<img src=x onerror=alert(1)>"
CROWD: Final = tuple(f"service-{nth:02}-of-many" for nth in range(24))
"""More services, of which only what is recorded by service is known."""
_FAILED: Final = "500"
_VALUES: Final[Mapping[str, Sequence[str]]] = {
    "http_request_method": ("GET",),
    "http_route": ROUTES,
    "http_response_status_code": ("200", _FAILED),
    "url_scheme": ("http",),
    "error_type": ("",),
    "server_address": ("payments", "smtp.eu-central-1.example.com"),
    "server_port": ("443",),
    "reason": ("503",),
    "close_code": ("1000",),
    "direction": ("received", "sent"),
    "db_system_name": ("postgresql",),
    "db_operation_name": ("SELECT", "INSERT"),
    "db_client_connection_pool_name": ("orders",),
    "db_client_connection_state": ("idle", "used"),
    "culprit": (CULPRIT, "orders/catalogue.py:118 load"),
    "pool": ("anyio", "executor"),
    "state": ("limit", "used"),
    "generation": ("0", "2"),
    "task": ("Receipts.ask", HOSTILE),
    "outcome": ("ok", "error", "exported", "dropped"),
    "queue": ("receipts",),
    "part": ("export",),
    "metric": ("http_server_request_duration_seconds",),
    "receiver": ("otlp", "prometheus"),
    "exporter": ("otlp/jaeger", "otlp_http/prometheus"),
    "rule_group": ("errors", "causes"),
    "alertmanager": ("http://127.0.0.1:9093/api/v2/alerts",),
    "integration": ("pagerduty", "webhook"),
}
_FIXED: Final = {
    metrics.DB_CLIENT_CONNECTION_MAX.name: 20.0,
    "otelcol_exporter_queue_capacity": 5000.0,
    "process_resident_memory_bytes": 1.9e8,
    "prometheus_tsdb_head_series": 21_400.0,
    "up": 1.0,
}
ALERTS: Final = (
    ("HighErrorRatio", "critical", "orders", ""),
    ("RouteHighErrorRatio", "warning", "orders", ROUTES[2]),
    ("EventLoopBlocked", "warning", "orders", ""),
)
OVER: Final = ("TrafficDrop", "critical", "payments", "")
"""Fired before, and no longer does."""
VERSIONS: Final = ("1.4.0", "1.5.0")
"""The later one comes with the incident."""


class _Series(Protocol):
    def lines(self, at: int, bad: bool) -> Iterator[str]:
        """Go on by a step, and spell the samples."""


class _Gauge:
    def __init__(self, name: str, labels: Mapping[str, str], scale: float = 1) -> None:
        self._text = spelled(name, labels)
        self._scale = scale
        self._fixed = 40.0 if labels.get("state") == "limit" else _FIXED.get(name)
        self._phase = zlib.crc32(self._text.encode())

    def lines(self, at: int, bad: bool) -> Iterator[str]:
        wave = (4 + math.sin(at / 90 + self._phase)) * self._scale
        value = wave * (3 if bad else 1) if self._fixed is None else self._fixed
        yield f"{self._text} {value:.6g} {at}\n"


class _Counter:
    def __init__(self, name: str, labels: Mapping[str, str]) -> None:
        self._text = spelled(name, labels)
        self._rate = 0.02 + zlib.crc32(self._text.encode()) % 100 / 500
        self._value = 0.0

    def lines(self, at: int, bad: bool) -> Iterator[str]:
        self._value += self._rate * STEP_SECONDS * (4 if bad else 1)
        yield f"{self._text} {self._value:.6g} {at}\n"


class _Histogram:
    """Lognormal; in the bad time its observations take ten times as long, and errors come."""

    def __init__(self, metric: Metric, labels: Mapping[str, str]) -> None:
        bounds = [promql.bound(bound) for bound in metric.buckets]
        les = [*bounds, "+Inf"]
        self._buckets = [spelled(f"{metric.name}_bucket", {**labels, "le": le}) for le in les]
        self._ends = [spelled(f"{metric.name}_{end}", labels) for end in ("count", "sum")]
        self._bounds = metric.buckets
        self._fails = labels.get("http_response_status_code") == _FAILED
        # What stands still does so for a part of the time.
        self._often = 0.01 if metric.name == metrics.ASYNCIO_EVENT_LOOP_BLOCKED.name else 1
        self._median = 0.01 * (1 + zlib.crc32(self._ends[0].encode()) % 8)
        self._counts = [0.0] * len(les)
        self._sum = 0.0

    def lines(self, at: int, bad: bool) -> Iterator[str]:
        rate = (0.8 if bad else 0.004) if self._fails else 8 + 2 * math.sin(at / 300)
        rate *= self._often * (10 if bad and self._often < 1 else 1)
        median = self._median * (10 if bad else 1)
        law = NormalDist(math.log(median), 0.6)
        for at_bound, bound in enumerate(self._bounds):
            self._counts[at_bound] += rate * STEP_SECONDS * law.cdf(math.log(bound))
        self._counts[-1] += rate * STEP_SECONDS
        self._sum += rate * STEP_SECONDS * median * math.exp(0.18)
        values = [*self._counts, self._counts[-1], self._sum]
        for text, value in zip((*self._buckets, *self._ends), values, strict=True):
            yield f"{text} {value:.9g} {at}\n"


def moments(end: int) -> Iterator[tuple[int, list[str]]]:
    """Yield each moment, in Unix seconds, and its samples as OpenMetrics text."""
    every = tuple(_every())
    for at in range(end - SECONDS, end + 1, STEP_SECONDS):
        bad = at > end - BAD_SECONDS
        lines = [line for series in every for line in series.lines(at, bad)]
        yield at, [*lines, *_released(at, bad), *_alerting(at, end)]


def spelled(name: str, labels: Mapping[str, str]) -> str:
    """Spell a series; an empty label is none."""
    inside = ",".join(f'{label}="{value}"' for label, value in labels.items() if value)
    return f"{name}{{{inside}}}"


def _every() -> Iterator[_Series]:
    for job, instances in SERVICES.items():
        for instance in instances:
            own = {"job": job, "instance": instance, "deployment_environment_name": "demo"}
            for metric in metrics.ALL:
                yield from _family(metric, own)
            for name in metrics.EXTERNAL:
                if name != "target_info":
                    yield _plain(name, own)
        for series in recorded.series():
            yield from _recorded(series, {"job": job, "deployment_environment_name": "demo"})
    for job in CROWD:
        own = {"job": job, "deployment_environment_name": "demo"}
        for series in recorded.series():
            if set(series.labels) <= own.keys():
                yield from _recorded(series, own)
    for name in panels.EXTERNAL:
        if name not in ("ALERTS", "ALERTS_FOR_STATE"):
            yield from _backend(name)
    for job in (slo.COLLECTOR_JOB, slo.PROMETHEUS_JOB, *slo.TICKET_JOBS, "alertmanager"):
        yield _Gauge("up", {"job": job, "instance": f"127.0.0.1:{9000 + len(job)}"})


def _family(metric: Metric, own: Mapping[str, str]) -> Iterator[_Series]:
    for values in itertools.product(*(_VALUES[label] for label in metric.labels)):
        labels = {**own, **dict(zip(metric.labels, values, strict=True))}
        if labels.get("http_response_status_code") == _FAILED:
            labels["error_type"] = _FAILED
        yield _Histogram(metric, labels) if metric.buckets else _plain(metric.name, labels)


def _recorded(series: Series, own: Mapping[str, str]) -> Iterator[_Series]:
    """What the rules would have written: they can't be asked about a time before they ran."""
    more = [label for label in series.labels if label not in own]
    if "le" in more:
        return
    operations = series.name.rpartition(":")[2]
    scale = 0.005 if operations.startswith("ratio") else 0.03 if operations[0] == "p" else 1
    scale *= 0.01 if "errors:rate" in series.name or "slow_requests:rate" in series.name else 1
    for values in itertools.product(*(_VALUES[label] for label in more)):
        yield _Gauge(series.name, {**own, **dict(zip(more, values, strict=True))}, scale)


def _plain(name: str, labels: Mapping[str, str]) -> _Series:
    return _Counter(name, labels) if name.endswith("_total") else _Gauge(name, labels)


def _backend(name: str) -> Iterator[_Series]:
    """A series of the telemetry itself, by the label that its names have."""
    job = name.partition("_")[0].replace("otelcol", "collector")
    own = {"job": job, "instance": f"127.0.0.1:{9000 + len(job)}"}
    part = next((label for label in pipeline.LABELS if label in name), "")
    part = {"notifications": "integration"}.get(part, part)
    if "rule" in name:
        part = "rule_group"
    for value in _VALUES.get(part, ("",)):
        yield _plain(name, {**own, part: value} if part else own)


def _released(at: int, bad: bool) -> Iterator[str]:
    for job, instances in SERVICES.items():
        for instance in instances:
            labels = {"job": job, "instance": instance, "service_version": VERSIONS[bad]}
            yield f"{spelled('target_info', labels)} 1 {at}\n"


def _alerting(at: int, end: int) -> Iterator[str]:
    """What Prometheus writes of alerts that fire."""
    began = end - BAD_SECONDS
    if at <= began:
        yield from _alert(OVER, at, end - SECONDS)
        return
    for alert in ALERTS:
        yield from _alert(alert, at, began)


def _alert(alert: tuple[str, str, str, str], at: int, began: int) -> Iterator[str]:
    names = ("alertname", "severity", "job", "http_route")
    labels = dict(zip(names, alert, strict=True))
    state = {**labels, "alertstate": "firing" if at >= began + 120 else "pending"}
    yield f"{spelled('ALERTS', state)} 1 {at}\n"
    yield f"{spelled('ALERTS_FOR_STATE', labels)} {began} {at}\n"
