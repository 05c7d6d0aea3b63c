"""A registry, read as OpenTelemetry metrics."""

from __future__ import annotations

import time
from typing import Any

import pytest
from opentelemetry.exporter.otlp.proto.common.metrics_encoder import encode_metrics
from opentelemetry.sdk.metrics.export import MetricsData, ResourceMetrics, ScopeMetrics
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from prometheus_client import CollectorRegistry, Counter, Enum, Gauge, Histogram, Info, Summary

from instrumentation.contract import metrics
from instrumentation.export import bridge
from instrumentation.export.bridge import Bridge
from instrumentation.series import Families

TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"


def read(registry: CollectorRegistry, **arguments: Any) -> dict[str, Any]:
    """The metrics by name, as the protocol has them: what can't be encoded fails here."""
    found = list(Bridge(arguments.pop("start", 1), **arguments).read(registry.collect()))
    scope = ScopeMetrics(InstrumentationScope("test"), found, "")
    data = MetricsData([ResourceMetrics(Resource.get_empty(), [scope], "")])
    (resource,) = encode_metrics(data).resource_metrics
    return {metric.name: metric for metric in resource.scope_metrics[0].metrics}


def attributes(point: Any) -> dict[str, Any]:
    return {each.key: each.value.int_value or each.value.string_value for each in point.attributes}


@pytest.fixture
def registry() -> CollectorRegistry:
    return CollectorRegistry()


def test_a_request_has_the_names_types_and_exemplars_of_opentelemetry(
    registry: CollectorRegistry,
) -> None:
    before = time.time_ns()
    families = Families(registry, 100)
    child = families.request_duration.child("GET", "/items/{id}", "200", "http", "")
    child.observe(0.02, {"trace_id": TRACE, "span_id": SPAN})
    child.observe(1000)

    metric = read(registry)["http.server.request.duration"]
    (point,) = metric.histogram.data_points
    assert metric.unit == "s"
    assert metric.histogram.aggregation_temporality == 2  # cumulative
    assert attributes(point) == {
        "http.request.method": "GET",
        "http.route": "/items/{id}",
        "http.response.status_code": 200,
        "url.scheme": "http",
    }
    bounds = metrics.HTTP_SERVER_REQUEST_DURATION.buckets
    assert tuple(point.explicit_bounds) == bounds
    assert len(point.bucket_counts) == len(bounds) + 1
    assert (point.count, sum(point.bucket_counts), point.bucket_counts[-1]) == (2, 2, 1)
    assert point.sum == pytest.approx(1000.02)
    assert not point.HasField("min")
    assert before <= point.start_time_unix_nano <= point.time_unix_nano
    (exemplar,) = point.exemplars
    assert (exemplar.trace_id.hex(), exemplar.span_id.hex()) == (TRACE, SPAN)
    assert exemplar.as_double == 0.02
    assert before <= exemplar.time_unix_nano <= point.time_unix_nano


def test_an_exemplar_is_sent_once(registry: CollectorRegistry) -> None:
    counter = Counter("a", "A.", registry=registry)
    counter.inc(1, {"trace_id": TRACE, "span_id": SPAN})
    (point,) = read(registry)["a"].sum.data_points
    (exemplar,) = point.exemplars
    (point,) = read(registry, news=exemplar.time_unix_nano + 1000)["a"].sum.data_points
    assert list(point.exemplars) == []


def test_an_exemplar_without_a_trace_keeps_its_labels(registry: CollectorRegistry) -> None:
    counter = Counter("a", "A.", registry=registry)
    counter.inc(1, {"trace_id": "none", "job": "7"})
    (point,) = read(registry)["a"].sum.data_points
    (exemplar,) = point.exemplars
    assert exemplar.trace_id == b""
    assert {each.key for each in exemplar.filtered_attributes} == {"trace_id", "job"}


def test_each_kind_of_metric_is_told(registry: CollectorRegistry) -> None:
    Counter("jobs", "J.", ["kind"], registry=registry).labels("a").inc(3)
    Gauge("heat", "H.", registry=registry).set(1.5)
    Summary("size_bytes", "S.", registry=registry).observe(7)
    Info("build", "B.", registry=registry).info({"version": "1"})
    Enum("mood", "M.", states=["good", "bad"], registry=registry).state("bad")
    Families(registry, 10).active_requests.child("GET", "http").began()

    found = read(registry)
    (jobs,) = found["jobs"].sum.data_points
    assert found["jobs"].sum.is_monotonic
    assert (jobs.as_double, attributes(jobs)) == (3, {"kind": "a"})
    assert found["heat"].gauge.data_points[0].as_double == 1.5
    assert found["size_bytes_count"].gauge.data_points[0].as_double == 1
    assert found["size_bytes_sum"].gauge.data_points[0].as_double == 7
    assert attributes(found["build_info"].gauge.data_points[0]) == {"version": "1"}
    assert {
        attributes(point)["mood"]: point.as_double for point in found["mood"].gauge.data_points
    } == {"good": 0, "bad": 1}
    active = found["http.server.active_requests"]
    assert (active.unit, active.sum.is_monotonic) == ("{request}", False)
    assert not [name for name in found if "created" in name]
    assert "http.server.request.duration" not in found, "Prometheus refuses what has no series"


def test_what_a_parent_counted_is_not_told_again(registry: CollectorRegistry) -> None:
    counter = Counter("a", "A.", registry=registry)
    histogram = Histogram("h", "H.", buckets=[1, 2], registry=registry)
    for _ in range(2):
        counter.inc(5)
        histogram.observe(1.5)
        inherited = bridge.counts(registry.collect())
    counter.inc(1)
    histogram.observe(0.5)
    fork = time.time_ns()

    found = read(registry, start=fork, inherited=inherited)
    (point,) = found["a"].sum.data_points
    assert (point.as_double, point.start_time_unix_nano) == (1, fork)
    (point,) = found["h"].histogram.data_points
    assert (list(point.bucket_counts), point.count, point.sum) == ([1, 0, 0], 1, 0.5)


def test_a_process_that_ends_has_nothing_of_what_adds_up(registry: CollectorRegistry) -> None:
    families = Families(registry, 10)
    families.gauge(metrics.DB_CLIENT_CONNECTION_MAX).child("main").set(10)
    families.gauge(metrics.TASK_QUEUE_DEPTH).child("mail").set(4)
    found = read(registry, last=True)
    assert found["db.client.connection.max"].sum.data_points[0].as_double == 0
    assert found["task_queue.depth"].gauge.data_points[0].as_double == 4
