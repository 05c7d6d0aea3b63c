"""What a prometheus-client registry holds, as OpenTelemetry metrics: nothing is measured twice."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from opentelemetry.sdk.metrics import Exemplar as OtelExemplar
from opentelemetry.sdk.metrics.export import (
    AggregationTemporality,
    Gauge,
    Histogram,
    HistogramDataPoint,
    Metric,
    NumberDataPoint,
    Sum,
)
from prometheus_client import metrics_core
from prometheus_client.samples import Exemplar, Sample

from instrumentation.contract import otel

_CUMULATIVE: Final = AggregationTemporality.CUMULATIVE
_ACCUMULATING: Final = ("counter", "histogram", "summary")

Labels = tuple[tuple[str, str], ...]
Counts = Mapping[tuple[str, Labels], float]


@dataclass(frozen=True, slots=True)
class Bridge:
    """Turns families into metrics with OpenTelemetry's names, units and attributes.

    Attributes:
        start: when counting began, in nanoseconds since the epoch, for a series that doesn't say
            so itself.
        news: exemplars from before this time were sent already.
        inherited: what a parent had counted before it forked this process at `start`; the parent
            tells that.
        last: the process ends: of what adds up with other processes it has nothing any more.
        now: the time of the reading.
    """

    start: int
    news: int = 0
    inherited: Counts | None = None
    last: bool = False
    now: int = field(default_factory=time.time_ns)

    def read(self, families: Iterable[metrics_core.Metric]) -> Iterator[Metric]:
        """The metrics of these families; a metric without any series is none to a receiver."""
        for metric in self._every(families):
            if metric.data.data_points:
                yield metric

    def _every(self, families: Iterable[metrics_core.Metric]) -> Iterator[Metric]:
        for family in families:
            if family.type == "counter":
                yield self._counter(family)
            elif family.type == "histogram":
                yield self._histogram(family)
            else:
                yield from self._gauges(family)

    def _counter(self, family: metrics_core.Metric) -> Metric:
        created = self._created(family)
        points = [
            NumberDataPoint(
                _attributes(sample.labels),
                self._start(created, key(sample.labels)),
                self.now,
                self._value(sample),
                self._exemplars([sample]),
            )
            for sample in family.samples
            if sample.name.endswith("_total")
        ]
        return _metric(family.name, family, Sum(points, _CUMULATIVE, True))

    def _histogram(self, family: metrics_core.Metric) -> Metric:
        created = self._created(family)
        series: dict[Labels, _Series] = {}
        for sample in family.samples:
            labels = {name: value for name, value in sample.labels.items() if name != "le"}
            found = series.setdefault(key(labels), _Series(labels))
            if sample.name.endswith("_bucket"):
                found.buckets.append((float(sample.labels["le"]), self._value(sample), sample))
            elif sample.name.endswith("_sum"):
                found.sum = self._value(sample)
        points = [self._point(one, self._start(created, each)) for each, one in series.items()]
        return _metric(family.name, family, Histogram(points, _CUMULATIVE))

    def _point(self, series: _Series, start: int) -> HistogramDataPoint:
        buckets = sorted(series.buckets, key=lambda bucket: bucket[0])
        counts = [int(count) for _, count, _ in buckets]
        unknown: Any = None  # prometheus-client keeps neither the least nor the greatest value
        return HistogramDataPoint(
            attributes=_attributes(series.labels),
            start_time_unix_nano=start,
            time_unix_nano=self.now,
            count=counts[-1] if counts else 0,
            sum=series.sum,
            bucket_counts=[b - a for a, b in zip([0, *counts], counts, strict=False)],
            explicit_bounds=[bound for bound, _, _ in buckets[:-1]],
            min=unknown,
            max=unknown,
            exemplars=self._exemplars(sample for _, _, sample in buckets),
        )

    def _gauges(self, family: metrics_core.Metric) -> Iterator[Metric]:
        """Every other kind, a metric for each name that its samples have."""
        by_name: dict[str, list[Sample]] = {}
        for sample in family.samples:
            if not sample.name.endswith("_created"):
                by_name.setdefault(sample.name, []).append(sample)
        for name, samples in by_name.items():
            additive = otel.adds_up(name)
            points = [
                NumberDataPoint(
                    _attributes(sample.labels),
                    self.start,
                    self.now,
                    0.0 if additive and self.last else self._value(sample, family.type),
                )
                for sample in samples
            ]
            data = Sum(points, _CUMULATIVE, False) if additive else Gauge(points)
            yield _metric(name, family, data)

    def _created(self, family: metrics_core.Metric) -> dict[Labels, float]:
        name = f"{family.name}_created"
        return {key(s.labels): s.value for s in family.samples if s.name == name}

    def _start(self, created: Mapping[Labels, float], labels: Labels) -> int:
        known = int(created.get(labels, 0) * 1e9)
        return max(known, self.start) if self.inherited is not None else known or self.start

    def _value(self, sample: Sample, kind: str = "counter") -> float:
        if self.inherited is None or kind not in _ACCUMULATING:
            return float(sample.value)
        return sample.value - self.inherited.get((sample.name, key(sample.labels)), 0.0)

    def _exemplars(self, samples: Iterable[Sample]) -> list[OtelExemplar]:
        found = (sample.exemplar for sample in samples)
        return [
            _exemplar(each)
            for each in found
            if each is not None and _nanoseconds(each) >= self.news
        ]


@dataclass(slots=True)
class _Series:
    """A histogram's samples for one combination of labels."""

    labels: Mapping[str, str]
    buckets: list[tuple[float, float, Sample]] = field(default_factory=list)
    sum: Any = None  # a histogram with negative bounds has none


def key(labels: Mapping[str, str]) -> Labels:
    """What identifies a series of a family."""
    return tuple(sorted(labels.items()))


def counts(families: Iterable[metrics_core.Metric]) -> Counts:
    """The values of everything that only grows."""
    return {
        (sample.name, key(sample.labels)): sample.value
        for family in families
        if family.type in _ACCUMULATING
        for sample in family.samples
    }


def _metric(name: str, family: metrics_core.Metric, data: Any) -> Metric:
    spelled, unit = otel.name_and_unit(name)
    return Metric(spelled, family.documentation, unit, data)


def _attributes(labels: Mapping[str, str]) -> dict[str, str | int]:
    """An empty label is none, as it is for Prometheus."""
    return dict(otel.attribute(name, value) for name, value in labels.items() if value)


def _exemplar(found: Exemplar) -> OtelExemplar:
    labels = dict(found.labels)
    trace, span = _hex(labels, "trace_id", 32), _hex(labels, "span_id", 16)
    if trace is not None and span is not None:
        del labels["trace_id"], labels["span_id"]
    else:
        trace = span = None
    return OtelExemplar(labels, float(found.value), _nanoseconds(found), span, trace)


def _nanoseconds(found: Exemplar) -> int:
    return int(float(found.timestamp or 0) * 1e9)


def _hex(labels: Mapping[str, str], name: str, length: int) -> int | None:
    text = labels.get(name, "")
    try:
        return int(text, 16) if len(text) == length else None
    except ValueError:
        return None
