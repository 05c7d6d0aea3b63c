"""What a scrape is told is, byte for byte, what prometheus-client would tell."""

from __future__ import annotations

import random
import string
from collections.abc import Iterator
from functools import partial
from typing import Any

import prometheus_client
import pytest
from opentelemetry.sdk.resources import Resource
from prometheus_client import CollectorRegistry, Counter, Enum, Gauge, Info, Summary
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeHistogramMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    InfoMetricFamily,
    StateSetMetricFamily,
    SummaryMetricFamily,
    UnknownMetricFamily,
)
from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics_core import Metric
from prometheus_client.samples import BucketSpan, Exemplar, NativeHistogram, Sample, Timestamp

from instrumentation.export.scrape import Exposition
from instrumentation.histogram import Histogram

OPENMETRICS = "application/openmetrics-text"
ACCEPTED = (
    "",
    "*/*",
    "text/plain;version=1.0.0;escaping=allow-utf-8",
    "text/plain;version=1.0.0;escaping=dots",
    f"{OPENMETRICS};version=1.0.0",
    f"{OPENMETRICS};version=1.0.0;escaping=allow-utf-8;q=0.6,text/plain;version=0.0.4;q=0.3",
    f"{OPENMETRICS};version=1.0.0;escaping=values",
    f"{OPENMETRICS};version=2.0.0;escaping=underscores",
)
AMOUNTS = (0.0, -0.0, 1.0, -1.5, 1e-7, 0.1 + 0.2, 999999.0, 1e6, 123456789.25, 1e17, 2.0**60,
           float("inf"), float("-inf"), float("nan"))  # fmt: skip
TEXTS = ("", "/items/{item}", 'a "quoted" \\ path\\n', "two\nlines", "größe ☃", "\x7f,=}{", "\r\t")


class Reference:
    """What prometheus-client is given: the same families, in the same order, no `_created`."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._registry = registry

    def collect(self) -> Iterator[Metric]:
        yield InfoMetricFamily("target", "Attributes of the service.", {"service_version": "1"})
        for family in self._registry.collect():
            family.samples = [s for s in family.samples if s.name != f"{family.name}_created"]
            yield family


def assert_same(registry: CollectorRegistry) -> None:
    """Twice, since the second scrape uses what the first one kept."""
    exposition = Exposition(registry, Resource({"service.version": "1", "service.name": "s"}))
    for accept in ACCEPTED * 2:
        encode, content_type = choose_encoder(accept)
        expected: Any = Reference(registry)
        assert exposition.render(accept) == (encode(expected), content_type)


@pytest.fixture
def registry() -> CollectorRegistry:
    return CollectorRegistry()


class Families:
    """A user's own collector."""

    def __init__(self, *families: Metric) -> None:
        self._families = families

    def collect(self) -> Iterator[Metric]:
        yield from self._families


def test_every_kind_of_metric(registry: CollectorRegistry) -> None:
    make: dict[str, Any] = {"registry": registry}
    Counter("a_total", 'with a \\ and\na line, "quoted"', **make).inc(3)
    Counter("b", "b", ["route", "zz", "aa"], **make).labels("/", "1", "2").inc(1e6)
    Gauge("c", "c", ["le_and_more", "lazy"], unit="seconds", **make).labels("x", "y").set(-1)
    Gauge("d", "d", **make).set_function(lambda: 7)
    Gauge("e", "e", ["pool"], **make).labels("p").set_function(lambda: 0.1)
    Summary("f", "f", ["x"], **make).labels("1").observe(2)
    Info("g", "g", **make).info({"version": '1"2'})
    Info("h", "h", ["x"], **make).labels("1").info({"b": "2", "z": "3"})
    Enum("i", "i", ["x"], states=["on", "off"], **make).labels("1").state("off")
    Histogram("j", "j", ["a", "z", "m"], buckets=(0.5, 1e6, 1e9), **make).labels("1", "2", "3")
    prometheus_client.Histogram("k", "k", buckets=(-1, 0, 1), **make).observe(0.5)
    Histogram("l", "never observed", ["a"], **make)
    assert_same(registry)


@pytest.mark.parametrize("seed", range(20))
def test_random_labels_and_values(registry: CollectorRegistry, seed: int) -> None:
    chance = random.Random(seed)
    names = chance.sample(string.ascii_letters, chance.randint(0, 6))
    counter = Counter("c", "c", names, registry=registry)
    gauge = Gauge("g", "g", names, registry=registry)
    histogram = Histogram("h", "h", names, registry=registry, buckets=(-0.5, 0, 2.5, 1e6))
    for _ in range(chance.randint(1, 30)):
        values = [chance.choice(TEXTS) for _ in names]
        for amount in chance.sample(AMOUNTS, 3):
            linked = chance.choice([None, {"trace_id": "ab"}, {"b": 'x"\\', "a": "\n"}])
            (gauge.labels(*values) if names else gauge).set(amount)
            (histogram.labels(*values) if names else histogram).observe(amount, linked)
            if amount >= 0:
                (counter.labels(*values) if names else counter).inc(amount, linked)
    assert_same(registry)


def test_a_users_collector(registry: CollectorRegistry) -> None:
    linked = Exemplar({"trace_id": "ab"}, 0.5, 12.5)
    counter = CounterMetricFamily("a", "a", labels=["x"], created=1.0)
    counter.add_metric(["1"], 2, timestamp=Timestamp(12, 500), exemplar=linked)
    histogram = HistogramMetricFamily("b", "b", labels=["x"])
    histogram.add_metric(["1"], [("1.0", 1, linked), ("+Inf", 2)], sum_value=3)
    gauges = GaugeHistogramMetricFamily("c", "c", labels=["x"])
    gauges.add_metric(["1"], [("1.0", 1), ("+Inf", 2)], gsum_value=3)
    summary = SummaryMetricFamily("d", "d", labels=["x"])
    summary.add_metric(["1"], 1, 2, timestamp=0.25)
    states = StateSetMetricFamily("e", "e", {"on": True, "off": False})
    registry.register(Families(counter, histogram, gauges, summary, states))
    registry.register(Families(UnknownMetricFamily("f", "f", 1e9), Metric("g", "g", "gauge")))
    assert_same(registry)


def test_what_is_rare(registry: CollectorRegistry) -> None:
    named = GaugeMetricFamily("a:b", "a rule's name", labels=["x"])
    named.add_metric(["1"], 1)
    dotted = GaugeMetricFamily("a.b", "dotted", labels=["x.y"])
    dotted.add_metric(["1"], float("nan"))
    native = Metric("c", "c", "histogram")
    spans = [BucketSpan(0, 2)]
    value = NativeHistogram(3, 4.5, 3, 0.1, 1, pos_spans=spans, pos_deltas=[1, 0])
    native.samples = [Sample("c", {"x": "1"}, 0.0, native_histogram=value)]
    registry.register(Families(named, dotted, native))
    assert_same(registry)


def test_what_a_user_has_changed(registry: CollectorRegistry) -> None:
    class Doubled(Gauge):
        def _child_samples(self) -> list[Sample]:
            return [Sample("_twice", {"n": "2"}, 2.0, 1.5)]

    class Counted(prometheus_client.Histogram):
        def _child_samples(self) -> list[Sample]:
            return [Sample("_count", {}, 1.0)]

    class Renamed(Counter):
        def collect(self) -> list[Metric]:
            return [GaugeMetricFamily("renamed", "r", 1)]

    Doubled("a", "a", ["x"], registry=registry).labels("1").set(1)
    Counted("b", "b", ["x"], registry=registry).labels("1")
    Renamed("c", "c", registry=registry)
    gauge = Gauge("d", "d", registry=registry)
    gauge.collect = partial(list, [GaugeMetricFamily("d", "d", 9)])  # type: ignore[method-assign]
    replaced: Any = Histogram("e", "e", registry=registry)
    replaced._child_samples = lambda: [Sample("_sum", {}, 5.0)]
    assert_same(registry)


def test_a_registry_of_the_users_own_and_its_target_info() -> None:
    class Own(CollectorRegistry):
        def collect(self) -> Iterator[Metric]:
            yield GaugeMetricFamily("own", "own", 1)
            yield from super().collect()

    own = Own()
    Gauge("a", "a", registry=own)
    assert_same(own)
    named = CollectorRegistry(target_info={"x": "y"})
    Gauge("a", "a", registry=named)
    assert_same(named)


def test_children_and_metrics_that_come_and_go(registry: CollectorRegistry) -> None:
    exposition = Exposition(registry, Resource({}))
    gauge = Gauge("a", "a", ["x"], registry=registry)
    gauge.labels("1")
    assert b'a{x="1"} 0.0' in exposition.render("")[0]
    gauge.remove("1")
    gauge.labels("2").set(5)
    body = exposition.render("")[0]
    assert b'a{x="2"} 5.0' in body
    assert b'x="1"' not in body
    registry.unregister(gauge)
    Gauge("a", "another", registry=registry).set(3)
    assert b"# HELP a another\n# TYPE a gauge\na 3.0\n" in exposition.render("")[0]


def test_an_exemplar_where_none_may_be_is_an_error(registry: CollectorRegistry) -> None:
    wrong = Metric("a", "a", "gauge")
    wrong.samples = [Sample("a", {}, 1.0, None, Exemplar({"x": "1"}, 1.0))]
    registry.register(Families(wrong))
    exposition = Exposition(registry, Resource({}))
    with pytest.raises(ValueError, match="has exemplars, but is not a histogram bucket or counter"):
        exposition.render(ACCEPTED[4])
    assert b"a 1.0\n" in exposition.render("")[0]
