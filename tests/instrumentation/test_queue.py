"""Every finished span is exported, or counted as what became of it."""

from __future__ import annotations

import os
import threading
from collections.abc import Sequence

import pytest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF
from prometheus_client import CollectorRegistry

from instrumentation.errors import InternalErrors
from instrumentation.export.queue import AwayError, SpanQueue
from instrumentation.series import Families
from tests.instrumentation.conftest import wait_until


class Exporter(SpanExporter):
    """Keeps what it is given; can be told to wait, to refuse or to raise."""

    def __init__(self) -> None:
        self.batches: list[list[str]] = []
        self.answer: SpanExportResult | Exception = SpanExportResult.SUCCESS
        self.go = threading.Event()
        self.go.set()

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        self.go.wait(30)
        self.batches.append([span.name for span in spans])
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


class Harness:
    def __init__(self, size: int = 100, batch: int = 10) -> None:
        self.registry = CollectorRegistry()
        families = Families(self.registry, 100)
        self.exporter = Exporter()
        self.queue = SpanQueue(
            families, InternalErrors(families), size=size, batch=batch, delay=3600
        )
        self.queue.open(lambda: self.exporter)
        provider = TracerProvider(shutdown_on_exit=False)
        provider.add_span_processor(self.queue)
        self.tracer = provider.get_tracer("test")

    def end_spans(self, count: int) -> None:
        for number in range(count):
            self.tracer.start_span(str(number)).end()

    def outcome(self, name: str) -> float | None:
        return self.registry.get_sample_value("instrumentation_spans_total", {"outcome": name})


@pytest.fixture
def harness() -> Harness:
    return Harness()


def test_a_flush_exports_all_in_batches(harness: Harness) -> None:
    harness.end_spans(25)
    assert harness.queue.force_flush()
    assert [name for batch in harness.exporter.batches for name in batch] == [
        str(number) for number in range(25)
    ]
    assert max(map(len, harness.exporter.batches)) <= 10
    assert harness.outcome("exported") == 25


def test_a_full_batch_goes_without_waiting(harness: Harness) -> None:
    harness.queue.start()
    harness.end_spans(10)
    wait_until(lambda: harness.outcome("exported") == 10)


def test_what_came_after_a_full_batch_waits_for_more(harness: Harness) -> None:
    harness.exporter.go.clear()
    harness.queue.start()
    harness.end_spans(10)
    wait_until(lambda: len(harness.queue._spans) == 0)  # taken, and on its way
    harness.end_spans(3)
    harness.exporter.go.set()
    wait_until(lambda: harness.outcome("exported") == 10)
    harness.end_spans(7)
    wait_until(lambda: harness.outcome("exported") == 20)
    assert list(map(len, harness.exporter.batches)) == [10, 10]


def test_a_full_queue_drops_the_newest_and_counts_them() -> None:
    harness = Harness(size=5, batch=5)
    harness.end_spans(8)
    assert harness.registry.get_sample_value("instrumentation_span_queue_size") == 5
    assert harness.queue.force_flush()
    assert harness.exporter.batches == [["0", "1", "2", "3", "4"]]
    assert (harness.outcome("exported"), harness.outcome("dropped")) == (5, 3)


@pytest.mark.parametrize("answer", [SpanExportResult.FAILURE, RuntimeError("broken")])
def test_a_failed_export_is_counted(harness: Harness, answer: SpanExportResult | Exception) -> None:
    harness.exporter.answer = answer
    harness.end_spans(3)
    assert harness.queue.force_flush()
    assert (harness.outcome("exported"), harness.outcome("failed")) == (0, 3)


def test_what_nobody_took_is_sent_again_in_its_order(harness: Harness) -> None:
    harness.exporter.answer = AwayError()
    harness.end_spans(12)
    assert not harness.queue.force_flush(timeout_millis=20)
    harness.exporter.answer = SpanExportResult.SUCCESS
    harness.exporter.batches.clear()
    harness.end_spans(3)
    assert harness.queue.force_flush()
    names = [name for batch in harness.exporter.batches for name in batch]
    assert names == [*map(str, range(12)), "0", "1", "2"]
    assert (harness.outcome("exported"), harness.outcome("failed")) == (15, 0)


def _lost(harness: Harness) -> float:
    return (harness.outcome("failed") or 0) + (harness.outcome("dropped") or 0)


def test_what_nobody_took_until_the_end_is_counted(harness: Harness) -> None:
    harness.exporter.answer = AwayError()
    harness.end_spans(12)
    harness.queue.shutdown(timeout_millis=20)
    wait_until(lambda: _lost(harness) == 12)
    assert harness.outcome("exported") == 0


@pytest.mark.proves("Processes", "shutdown flushes within a bound")
def test_a_flush_keeps_to_its_time(harness: Harness) -> None:
    harness.exporter.go.clear()
    harness.end_spans(3)
    assert not harness.queue.force_flush(timeout_millis=20)
    harness.exporter.go.set()
    assert harness.queue.force_flush()


def test_a_shutdown_counts_what_is_left_as_dropped(harness: Harness) -> None:
    harness.exporter.go.clear()
    harness.end_spans(25)
    harness.queue.shutdown(timeout_millis=20)
    harness.exporter.go.set()
    wait_until(lambda: harness.outcome("exported") == 10)
    assert harness.outcome("dropped") == 15


def test_a_span_that_was_not_sampled_is_no_loss(harness: Harness) -> None:
    provider = TracerProvider(sampler=ALWAYS_OFF, shutdown_on_exit=False)
    provider.add_span_processor(harness.queue)
    provider.get_tracer("test").start_span("unseen").end()
    assert harness.queue.force_flush()
    assert harness.exporter.batches == []


@pytest.mark.proves("Processes", "forking after import loses no exporter thread")
def test_a_child_process_exports_its_own_spans_alone(harness: Harness) -> None:
    harness.queue.start()
    harness.end_spans(3)
    child = os.fork()
    if child == 0:
        harness.end_spans(2)
        flushed = harness.queue.force_flush(5000)
        own = [name for batch in harness.exporter.batches for name in batch] == ["0", "1"]
        os._exit(0 if flushed and own else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert harness.queue.force_flush()
    assert harness.outcome("exported") == 3


def test_a_span_after_the_shutdown_counts_as_dropped(harness: Harness) -> None:
    harness.queue.shutdown()
    harness.end_spans(2)
    assert harness.outcome("dropped") == 2


def test_the_queue_is_open_until_its_last_holder_released_it(harness: Harness) -> None:
    harness.queue.open(Exporter)
    harness.queue.release(10_000)
    harness.end_spans(1)
    harness.queue.release(10_000)
    harness.end_spans(1)
    assert harness.exporter.batches == [["0"]]
    assert harness.outcome("dropped") == 1
