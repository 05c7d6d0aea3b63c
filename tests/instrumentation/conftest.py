"""A telemetry that touches no global state, and a real server to send requests to."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

import pytest
import uvloop
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind
from prometheus_client import CollectorRegistry
from starlette.applications import Starlette

from instrumentation import Settings, Telemetry, instrument
from tests.instrumentation.servers import uvicorn_


@dataclass
class Observed:
    """Everything that one instrumented application told."""

    registry: CollectorRegistry = field(default_factory=CollectorRegistry)
    provider: TracerProvider = field(default_factory=lambda: TracerProvider(shutdown_on_exit=False))
    exporter: InMemorySpanExporter = field(default_factory=InMemorySpanExporter)
    stack: ExitStack = field(default_factory=ExitStack)

    def __post_init__(self) -> None:
        self.provider.add_span_processor(SimpleSpanProcessor(self.exporter))

    def instrument(self, app: Starlette, **settings: Any) -> Telemetry:
        return self.instrument_with(app, Settings(**settings))

    def instrument_with(
        self, app: Starlette, settings: Settings | None = None, **arguments: Any
    ) -> Telemetry:
        telemetry = instrument(
            app,
            settings or Settings(),
            registry=self.registry,
            tracer_provider=self.provider,
            **arguments,
        )
        return self.stack.enter_context(telemetry)

    def spans(self, kind: SpanKind = SpanKind.SERVER) -> list[ReadableSpan]:
        return [span for span in self.exporter.get_finished_spans() if span.kind is kind]

    def span(self, kind: SpanKind = SpanKind.SERVER) -> ReadableSpan:
        (span,) = self.spans(kind)
        return span

    def value(self, name: str, **labels: str) -> float | None:
        """The value of the one series of `name` that has these labels, or None."""
        found = [
            sample.value
            for family in self.registry.collect()
            for sample in family.samples
            if sample.name == name and labels.items() <= sample.labels.items()
        ]
        assert len(found) < 2, f"{name}{labels} is ambiguous"
        return found[0] if found else None

    def counts(self) -> dict[tuple[str, str, str, str], float]:
        """Requests by method, route, status and error type."""
        return {
            (
                sample.labels["http_request_method"],
                sample.labels["http_route"],
                sample.labels["http_response_status_code"],
                sample.labels["error_type"],
            ): sample.value
            for family in self.registry.collect()
            for sample in family.samples
            if sample.name == "http_server_request_duration_seconds_count"
        }


@pytest.fixture
def observed() -> Iterator[Observed]:
    made = Observed()
    with made.stack:
        yield made


Serve = Callable[[Any], str]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Run applications on real uvicorn servers; `serve(app)` answers the base address."""
    with ExitStack() as stack:
        yield lambda app: stack.enter_context(uvicorn_(app))


def wait_until(condition: Callable[[], Any], seconds: float = 10.0) -> None:
    """Wait for `condition`; the bound is only there to end a broken test."""
    event = threading.Event()
    for _ in range(int(seconds / 0.01)):
        if condition():
            return
        event.wait(0.01)
    raise AssertionError("the condition did not come true")


@pytest.fixture(params=["asyncio", "uvloop"])
def run(request: pytest.FixtureRequest) -> Iterator[Callable[[Coroutine[Any, Any, None]], None]]:
    """Run a coroutine on a loop of either kind."""
    factory = uvloop.new_event_loop if request.param == "uvloop" else asyncio.new_event_loop
    with asyncio.Runner(loop_factory=factory) as runner:
        yield runner.run
