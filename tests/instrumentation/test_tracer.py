"""Our tracer makes the SDK's spans: nobody can tell the difference."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.sdk import trace as sdk
from opentelemetry.sdk.trace import SpanLimits, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.id_generator import IdGenerator
from opentelemetry.sdk.trace.sampling import (
    ALWAYS_OFF,
    DEFAULT_OFF,
    DEFAULT_ON,
    Decision,
    ParentBasedTraceIdRatio,
    Sampler,
    SamplingResult,
    TraceIdRatioBased,
)
from opentelemetry.trace import Link, NonRecordingSpan, SpanContext, SpanKind, TraceFlags

from instrumentation.export import encode
from instrumentation.sampling import Bounds
from instrumentation.tracer import LeanSpan, Tracer, lean, tell

ATTRIBUTES: dict[str, Any] = {"text": "x", "number": 1, "true": True, "several": ("a", "b")}
CALLER = SpanContext(2**100 + 1, 2**60 + 1, True, TraceFlags(TraceFlags.SAMPLED))


class Ids(IdGenerator):
    """The same ids for everybody."""

    def generate_span_id(self) -> int:
        return 0xABC

    def generate_trace_id(self) -> int:
        return 0xDEF


class Both:
    """The same done with the SDK's tracer and with ours."""

    def __init__(self, **arguments: Any) -> None:
        self.exporters = [InMemorySpanExporter(), InMemorySpanExporter()]
        self.originals = []
        for exporter in self.exporters:
            arguments = {"id_generator": Ids(), "shutdown_on_exit": False, **arguments}
            provider = TracerProvider(**arguments)
            provider.add_span_processor(SimpleSpanProcessor(exporter))
            self.originals.append(provider.get_tracer("t"))
        self.ours = lean(self.originals[1])

    def do(
        self, work: Callable[[trace.Span], None], parent: Context | None = None, **arguments: Any
    ) -> None:
        original = self.originals[0].start_span(
            "name", parent, SpanKind.SERVER, dict(ATTRIBUTES), **arguments
        )
        mine = self.ours.start("name", parent, SpanKind.SERVER, dict, ATTRIBUTES, **arguments)
        for span in (original, mine):
            work(span)

    def encoded(self) -> list[list[bytes]]:
        """What is exported, without the times."""
        found = []
        for exporter in self.exporters:
            finished = exporter.get_finished_spans()
            for span in finished:
                span._start_time, span._end_time = 1, 2
                for event in span.events:
                    event._timestamp = 3
            found.append([encode.span(span) for span in finished])
        return found


def end(span: trace.Span) -> None:
    span.end()


def busy(span: trace.Span) -> None:
    span.set_attribute("number", 2)
    tell(span, {"number": 3, "more": "m"})
    span.add_event("event", {"a": 1})
    span.add_link(CALLER, {"b": 2})
    span.update_name("other")
    span.set_status(trace.Status(trace.StatusCode.ERROR, "why"))
    span.record_exception(ValueError("no"), attributes={"exception.stacktrace": "here"})
    span.end()
    span.end()


@pytest.mark.parametrize("work", [end, busy])
@pytest.mark.parametrize("caller", [None, CALLER])
@pytest.mark.parametrize("links", [(), (Link(CALLER, {"c": 3}),)])
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_the_same_is_exported(
    work: Callable[[trace.Span], None], caller: SpanContext | None, links: tuple[Link, ...]
) -> None:
    both = Both()
    parent = Context() if caller is None else trace.set_span_in_context(NonRecordingSpan(caller))
    both.do(work, parent, links=links)
    original, mine = both.encoded()
    assert original == mine != []


SAMPLERS = [
    ALWAYS_OFF,
    DEFAULT_ON,
    DEFAULT_OFF,
    TraceIdRatioBased(0.5),
    TraceIdRatioBased(0),
    ParentBasedTraceIdRatio(0.5),
    ParentBasedTraceIdRatio(0),
]


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_the_samplers_of_the_sdk_need_not_be_asked(sampler: Sampler) -> None:
    assert Bounds.of(sampler) is not None


@pytest.mark.parametrize("sampler", SAMPLERS)
@pytest.mark.parametrize("flags", [TraceFlags.SAMPLED, TraceFlags.DEFAULT])
def test_the_samplers_of_the_sdk_decide_the_same(sampler: Sampler, flags: int) -> None:
    caller = SpanContext(2**100 + 1, 2**60 + 1, True, TraceFlags(flags))
    for parent in (Context(), trace.set_span_in_context(NonRecordingSpan(caller))):
        both = Both(sampler=sampler)
        contexts: list[SpanContext] = []

        def work(span: trace.Span, contexts: list[SpanContext] = contexts) -> None:
            contexts.append(span.get_span_context())
            span.end()

        both.do(work, parent)
        assert contexts[0] == contexts[1]
        original, mine = both.encoded()
        assert original == mine


class Meeting(IdGenerator):
    """Another id each time, made only when both threads ask for one."""

    def __init__(self) -> None:
        self._numbers = iter(range(1, 10))
        self._both = threading.Barrier(2)

    def generate_span_id(self) -> int:
        self._both.wait(timeout=10)
        return next(self._numbers)

    def generate_trace_id(self) -> int:
        return 0xDEF


def test_threads_that_ask_at_once_find_one_identity_of_a_dropped_span() -> None:
    provider = TracerProvider(sampler=ALWAYS_OFF, id_generator=Meeting(), shutdown_on_exit=False)
    span = lean(provider.get_tracer("t")).start("GET", Context(), SpanKind.SERVER, dict)
    with ThreadPoolExecutor(2) as threads:
        asked = [threads.submit(span.get_span_context) for _ in range(2)]
    first, second = (one.result() for one in asked)
    assert first is second is span.get_span_context()
    assert repr(span) == repr(NonRecordingSpan(first))


class ByAttribute(Sampler):
    """A user's: it keeps what has the attribute, and adds one of its own."""

    def should_sample(
        self,
        parent_context: Any,
        trace_id: int,
        name: str,
        kind: Any = None,
        attributes: Any = None,
        links: Any = None,
        trace_state: Any = None,
    ) -> SamplingResult:
        kept = bool(attributes and attributes.get("text") == "x")
        decision = Decision.RECORD_AND_SAMPLE if kept else Decision.DROP
        return SamplingResult(decision, {**(attributes or {}), "sampler": ["mine"]})

    def get_description(self) -> str:
        return "by attribute"


def test_a_users_sampler_sees_the_attributes_and_adds_its_own() -> None:
    both = Both(sampler=ByAttribute())
    both.do(end)
    original, mine = both.encoded()
    assert original == mine != []


def test_limits_hold() -> None:
    both = Both(span_limits=SpanLimits(max_span_attributes=2, max_span_attribute_length=1))
    both.do(busy)
    original, mine = both.encoded()
    assert original == mine != []


class Seen(SpanProcessor):
    """A user's processor, which adds an attribute at the start."""

    def __init__(self) -> None:
        self.ended: list[sdk.ReadableSpan] = []

    def on_start(self, span: sdk.Span, parent_context: Context | None = None) -> None:
        span.set_attribute("seen", True)

    def on_end(self, span: sdk.ReadableSpan) -> None:
        self.ended.append(span)


def test_a_users_processor_sees_start_and_end() -> None:
    provider, seen = TracerProvider(shutdown_on_exit=False), Seen()
    provider.add_span_processor(seen)
    span = lean(provider.get_tracer("t")).start("s", None, SpanKind.SERVER, dict, {})
    with trace.use_span(span, end_on_exit=True):
        provider.get_tracer("t").start_span("child").end()
    child, parent = seen.ended
    assert child.parent == parent.context
    assert parent.attributes == {"seen": True}
    assert isinstance(parent, LeanSpan)


def test_nobody_describes_what_is_not_sampled() -> None:
    provider = TracerProvider(sampler=ALWAYS_OFF, shutdown_on_exit=False)

    def describe() -> dict[str, Any]:
        raise AssertionError

    assert (
        not lean(provider.get_tracer("t"))
        .start("s", None, SpanKind.SERVER, describe)
        .is_recording()
    )


def test_what_the_sdk_is_asked_for_is_there() -> None:
    """Where this fails, the SDK's own tracer makes the spans: slower."""
    assert type(lean(TracerProvider(shutdown_on_exit=False).get_tracer("t"))) is not Tracer


def test_another_tracer_makes_its_own_spans() -> None:
    span = lean(trace.NoOpTracer()).start("s", None, SpanKind.SERVER, dict, {})
    tell(span, {"a": 1})
    assert span is trace.INVALID_SPAN or not span.is_recording()
