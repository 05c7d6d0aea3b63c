"""Long work lets the loop go on: here it pauses as often as it is asked to."""

from __future__ import annotations

from typing import Any

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from prometheus_client import CollectorRegistry, Gauge

from instrumentation import Settings
from instrumentation.export import pauses
from instrumentation.export.otlp import DirectExporter
from instrumentation.export.queue import AwayError
from instrumentation.export.resource import resource
from instrumentation.export.scrape import Exposition


@pytest.fixture
def taken(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """One for each pause; every one of them is due."""
    taken: list[int] = []
    monkeypatch.setattr(pauses.Pauses, "due", lambda self: True)
    monkeypatch.setattr(pauses.Pauses, "take", lambda self: taken.append(1))
    return taken


def test_nothing_is_lost_between_two_pauses(taken: list[int]) -> None:
    assert list(pauses.between("abc", patient=True)) == ["a", "b", "c"]
    assert len(taken) == 3


def test_a_scrape_pauses_between_families(taken: list[int]) -> None:
    registry = CollectorRegistry()
    for number in range(3):
        Gauge(f"gauge_{number}", "A gauge.", registry=registry).set(number)
    body, _ = Exposition(registry, resource(Settings())).render("")
    assert [b"gauge_%d %d.0" % (n, n) in body for n in range(3)] == [True] * 3
    assert len(taken) >= 3


def test_an_export_pauses_between_spans(taken: list[int]) -> None:
    provider, kept = TracerProvider(shutdown_on_exit=False), InMemorySpanExporter()
    provider.add_span_processor(SimpleSpanProcessor(kept))
    for name in "abc":
        provider.get_tracer("t").start_span(name).end()
    exporter = DirectExporter("http://127.0.0.1:1/v1/traces", 0.1)
    with pytest.raises(AwayError):
        exporter.export(kept.get_finished_spans())
    assert len(taken) == 3


def test_only_a_batch_that_comes_alone_is_encoded_with_patience(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    patience: list[bool] = []

    def between(things: Any, *, patient: bool) -> Any:
        patience.append(patient)
        return things

    monkeypatch.setattr(pauses, "between", between)
    exporter = DirectExporter("http://127.0.0.1:1/v1/traces", 0.1)
    for idle in (0.0, 0.0, 5.0):
        exporter._ended -= idle
        with pytest.raises(AwayError):
            exporter.export([])
    assert patience == [True, False, True]
