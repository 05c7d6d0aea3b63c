"""Renders prometheus-client's own metrics from their values, without a sample in between.

Collecting a histogram of 49 buckets makes 51 samples, each with a dictionary of its labels. Here
the labels of a child are text that is made once; what is read at each scrape are its values.

Private names of prometheus-client are touched in this module alone. A metric that is not made as
expected is collected as everybody's is.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final, NamedTuple

import prometheus_client
from prometheus_client import CollectorRegistry, Counter, Gauge
from prometheus_client.metrics import MetricWrapperBase
from prometheus_client.metrics_core import Metric
from prometheus_client.samples import Sample

from instrumentation.export.lines import Format, escaped, is_plain, joined, number
from instrumentation.histogram import Histogram

Collector = Any

_KINDS: Final = (Counter, Gauge, prometheus_client.Histogram)
_COLLECTING: Final = ("collect", "_samples", "_multi_samples", "_get_metric")


class _Labels(NamedTuple):
    """The labels of a child as text: those before `le`, those after it, and all of them."""

    before: str
    after: str
    all: str


def collectors(registry: Any) -> list[Collector] | None:
    """What a registry collects, in its order; None where only its `collect` can tell."""
    if getattr(type(registry), "collect", None) is not CollectorRegistry.collect:
        return None
    try:
        with registry._lock:
            return None if registry._target_info else list(registry._collector_to_names)
    except AttributeError:
        return None


class Rendered:
    """One metric, as text.

    The text of its children's labels is kept between scrapes, and goes with the children.
    """

    def __init__(self, metric: Any) -> None:
        family: Metric = metric._get_metric()
        self._metric = metric
        self._family = family
        self._names: tuple[str, ...] = tuple(metric._labelnames)
        self._kept: dict[tuple[str, ...], _Labels] = {}
        self._bounds: tuple[Sequence[float], list[str]] = ((), [])

    @classmethod
    def of(cls, collector: Collector) -> Rendered | None:
        """None for a collector that is not one of prometheus-client's, or is changed in any way."""
        if not isinstance(collector, _KINDS):
            return None
        try:
            changed = any(
                getattr(type(collector), name) is not getattr(MetricWrapperBase, name)
                for name in _COLLECTING
            )
            made = None if changed or set(_COLLECTING) & set(vars(collector)) else cls(collector)
        except AttributeError:
            return None
        return made if made is not None and made._is_plain() else None

    def text(self, into: Format) -> Iterator[str]:
        """The text of the family, a child at a time."""
        yield into.head(self._family)
        kept = {}
        for values, child in self._children():
            labels = kept[values] = self._kept.get(values) or self._labels(values)
            if _is_histogram(child):
                yield self._histogram(child, labels, into)
            else:
                yield self._other(child, labels, values, into)
        self._kept = kept

    def _is_plain(self) -> bool:
        return is_plain(self._family.name) and all(map(is_plain, self._names))

    def _children(self) -> list[tuple[tuple[str, ...], Any]]:
        metric = self._metric
        if not self._names:
            return [((), metric)]
        with metric._lock:
            return list(metric._metrics.items())

    def _labels(self, values: tuple[str, ...]) -> _Labels:
        labels = dict(zip(self._names, values, strict=True))
        texts = [(name, f'{name}="{escaped(value)}"') for name, value in sorted(labels.items())]
        before = "".join(f"{text}," for name, text in texts if name < "le")
        after = "".join(f",{text}" for name, text in texts if name > "le")
        return _Labels(before, after, f"{{{joined(labels)}}}" if labels else "")

    def _histogram(self, child: Any, labels: _Labels, into: Format) -> str:
        if isinstance(child, Histogram):
            child.catch_up()
        name = self._family.name
        head, tail = f'{name}_bucket{{{labels.before}le="', f'"{labels.after}}} '
        lines = []
        total, told = 0.0, "0.0"
        for bound, bucket in zip(self._spelled(child._upper_bounds), child._buckets, strict=True):
            if count := bucket.get():
                total += count
                told = number(total)
            exemplar = bucket.get_exemplar() if into.openmetrics else None
            linked = into.exemplar(exemplar) if exemplar else ""
            lines.append(f"{head}{bound}{tail}{told}{linked}\n")
        lines.append(f"{name}_count{labels.all} {told}\n")
        if child._upper_bounds[0] >= 0:
            lines.append(f"{name}_sum{labels.all} {number(child._sum.get())}\n")
        return "".join(lines)

    def _other(self, child: Any, labels: _Labels, values: tuple[str, ...], into: Format) -> str:
        lines = []
        for suffix, own, value, timestamp, exemplar, _native in child._child_samples():
            name = self._family.name + suffix
            if suffix == "_created":
                continue
            if own or timestamp is not None:
                both = {**dict(zip(self._names, values, strict=True)), **own}
                lines.append(into.sample(Sample(name, both, value, timestamp, exemplar)))
                continue
            linked = into.exemplar(exemplar) if exemplar and into.openmetrics else ""
            lines.append(f"{name}{labels.all} {number(value)}{linked}\n")
        return "".join(lines)

    def _spelled(self, bounds: Sequence[float]) -> list[str]:
        """The bounds as `le` spells them: the same ones for all children."""
        if self._bounds[0] != bounds:
            self._bounds = bounds, [number(bound) for bound in bounds]
        return self._bounds[1]


def _is_histogram(child: Any) -> bool:
    """Whether `child` has buckets, and nobody has changed how they are read."""
    usual = prometheus_client.Histogram._child_samples, Histogram._child_samples
    return getattr(type(child), "_child_samples", None) in usual and not _replaced(child)


def _replaced(child: Any) -> bool:
    return "_child_samples" in vars(child)
