"""Our histogram counts as prometheus-client's does."""

from __future__ import annotations

import threading
from collections.abc import Sequence

import prometheus_client
import pytest
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF
from opentelemetry.trace import format_span_id, format_trace_id
from prometheus_client import CollectorRegistry

from instrumentation import histogram
from instrumentation.contract.buckets import DENSE
from instrumentation.export.scrape import Exposition
from instrumentation.histogram import Histogram

AMOUNTS = (0.0, -1.0, 1e9, float("inf"), *DENSE, *(bound * 1.01 for bound in DENSE))


def samples(kind: type[prometheus_client.Histogram]) -> list[tuple[str, dict[str, str], float]]:
    registry = CollectorRegistry()
    child = kind("a", "a", ["route"], registry=registry, buckets=DENSE).labels("/")
    for amount in AMOUNTS:
        child.observe(amount)
    return [
        (sample.name, sample.labels, sample.value)
        for family in registry.collect()
        for sample in family.samples
        if not sample.name.endswith("_created")
    ]


def test_every_amount_falls_into_the_same_bucket() -> None:
    assert samples(Histogram) == samples(prometheus_client.Histogram)


def test_many_at_once_count_as_one_by_one_do() -> None:
    registry = CollectorRegistry()
    single = Histogram("a", "a", registry=registry, buckets=DENSE)
    many = Histogram("b", "b", registry=registry, buckets=DENSE)
    amounts = [amount for amount in AMOUNTS if amount < 1e9]
    for amount in amounts:
        single.observe(amount)
    many.observe_all(amounts)
    one, other = (next(iter(found.collect())).samples for found in (single, many))
    assert [sample.labels for sample in one] == [sample.labels for sample in other]
    kept = {"a_bucket", "a_count", "a_sum"}
    expected = [sample.value for sample in one if sample.name in kept]
    assert [s.value for s in other if f"a{s.name[1:]}" in kept] == pytest.approx(expected)


@pytest.mark.parametrize("times", [0, 1, 63, 64, 65, 1000])
def test_what_waits_is_told_to_whoever_reads(times: int) -> None:
    registry = CollectorRegistry()
    child = Histogram("a", "a", ["route"], registry=registry, buckets=DENSE).labels("/")
    for _ in range(times):
        child.observe_soon(0.1)
    assert registry.get_sample_value("a_count", {"route": "/"}) == times
    assert registry.get_sample_value("a_sum", {"route": "/"}) == pytest.approx(0.1 * times)
    child.observe_soon(0.1)
    text, _ = Exposition(registry, Resource({})).render("")
    assert f'a_count{{route="/"}} {times + 1}.0\n' in text.decode()


def test_nothing_that_waits_is_lost_between_threads() -> None:
    found = Histogram("a", "a", registry=None, buckets=DENSE)

    def write() -> None:
        for _ in range(20_000):
            found.observe_soon(0.1)

    threads = [threading.Thread(target=write) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert count(found) == 80_000


def test_who_reads_waits_for_what_another_thread_observes(monkeypatch: pytest.MonkeyPatch) -> None:
    found = Histogram("a", "a", registry=None, buckets=DENSE)
    begun, go = threading.Event(), threading.Event()
    observe_all = Histogram.observe_all

    def slowly(self: Histogram, amounts: Sequence[float]) -> None:
        begun.set()
        go.wait()
        observe_all(self, amounts)

    monkeypatch.setattr(Histogram, "observe_all", slowly)
    found.observe_soon(0.1)
    read: list[float] = []
    threads = [
        threading.Thread(target=found.catch_up),
        threading.Thread(target=lambda: read.append(count(found))),
    ]
    threads[0].start()
    begun.wait()
    threads[1].start()
    threads[1].join(0.2)
    go.set()
    for thread in threads:
        thread.join()
    assert read == [1]


def count(found: Histogram) -> float:
    (family,) = found.collect()
    (value,) = (sample.value for sample in family.samples if sample.name == "a_count")
    return value


def test_a_bucket_is_made_once_whoever_comes_first() -> None:
    found = Histogram("a", "a", registry=None, buckets=DENSE)
    start = threading.Barrier(8)

    def observe() -> None:
        start.wait()
        for amount in AMOUNTS:
            found.observe(amount)

    threads = [threading.Thread(target=observe) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert count(found) == 8 * len(AMOUNTS)


def test_an_exemplar_of_the_callers_own_is_kept_in_a_bucket_that_was_empty() -> None:
    found = Histogram("a", "a", registry=None, buckets=(0.5, 1.5))
    found.observe(1.0, {"order": "7"})
    assert exemplars(found) == [{"order": "7"}]


def exemplars(found: Histogram) -> list[dict[str, str]]:
    (family,) = found.collect()
    return [sample.exemplar.labels for sample in family.samples if sample.exemplar]


def test_a_sampled_span_becomes_the_exemplar_of_its_bucket() -> None:
    found = Histogram("a", "a", registry=None, buckets=(0.5, 1.5))
    span = TracerProvider().get_tracer("t").start_span("s")
    found.observe_in(span, 1.0)
    context = span.get_span_context()
    ids = {
        "trace_id": format_trace_id(context.trace_id),
        "span_id": format_span_id(context.span_id),
    }
    assert exemplars(found) == [ids]


def test_an_exemplar_stays_for_a_while_and_then_gives_way(monkeypatch: pytest.MonkeyPatch) -> None:
    found = Histogram("a", "a", registry=None, buckets=(0.5,))
    tracer = TracerProvider().get_tracer("t")
    kept = []
    for seconds in (3600.0, 3600.0, 0.0):
        monkeypatch.setattr(histogram, "_EXEMPLAR_SECONDS", seconds)
        found.observe_in(tracer.start_span("s"), 0.1)
        kept += exemplars(found)
    assert kept[0] == kept[1] != kept[2]


def test_nothing_unsampled_becomes_an_exemplar() -> None:
    found = Histogram("a", "a", registry=None, buckets=(0.5,))
    found.observe_in(TracerProvider(sampler=ALWAYS_OFF).get_tracer("t").start_span("s"), 0.1)
    found.observe_in(None, 0.1)
    assert exemplars(found) == []
