"""The SDK's spans, made with less work.

`Tracer.start_span` of the SDK checks and copies every attribute, prepares lists for events and
links that most spans never have, and copies the span when it ends: 30 us for a server span, of
which a third is left here. What is made is still the SDK's own span, for which its sampler, its
id generator, its limits and every span processor are asked, so all that a user does with a span
works.

Private names of the SDK's spans are touched in this module alone. Where a release lacks one of
them, or a provider is another's, the provider's own tracer makes the spans.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from random import getrandbits
from threading import Lock
from typing import Any, Final

from opentelemetry import trace
from opentelemetry.attributes import BoundedAttributes
from opentelemetry.context import Context
from opentelemetry.sdk import trace as sdk
from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
from opentelemetry.sdk.trace.sampling import Decision
from opentelemetry.sdk.util import BoundedList
from opentelemetry.trace import (
    Link,
    NonRecordingSpan,
    Span,
    SpanContext,
    SpanKind,
    TraceFlags,
    TraceState,
)

from instrumentation.sampling import LIMIT, Bounds

Described = dict[str, Any]
Describe = Callable[..., Described]

_ROOM: Final = 64
"""Our spans have fewer attributes than this; with a lower limit the SDK does the counting."""

_NONE: Final[Any] = BoundedList(0)
_KEEP, _DROP = Decision.RECORD_AND_SAMPLE, Decision.DROP
_UNCOUNTED: Final = "NoOpTracerMetrics"
"""The SDK's class of what does not count spans, as it is unless it is told to."""
_RANDOM: Final = getattr(TraceFlags, "RANDOM_TRACE_ID", 0)
_FLAGS: Final = {number: TraceFlags(number) for number in (0, 1, _RANDOM, _RANDOM | 1)}


class Tracer(trace.Tracer):
    """Any tracer, which makes spans as it always does.

    Attributes:
        sampler: the SDK's; None where the tracer is another's.
    """

    def __init__(self, original: trace.Tracer) -> None:
        self._original = original
        self.sampler = getattr(original, "sampler", None)

    def start_span(self, *args: Any, **kwargs: Any) -> Span:
        """See `opentelemetry.trace.Tracer.start_span`."""
        return self._original.start_span(*args, **kwargs)

    def start_as_current_span(self, *args: Any, **kwargs: Any) -> Any:
        """See `opentelemetry.trace.Tracer.start_as_current_span`."""
        return self._original.start_as_current_span(*args, **kwargs)

    def start(
        self,
        name: str,
        parent: Context | None,
        kind: SpanKind,
        describe: Describe,
        *arguments: Any,
        links: Sequence[Link] = (),
    ) -> Span:
        """Start a span with the attributes that `describe(*arguments)` tells.

        They are text, numbers, truth values, or tuples of these, and nobody else's to change.
        """
        return self._original.start_span(name, parent, kind, describe(*arguments), links)


class LeanTracer(Tracer):
    """The SDK's tracer, with the sampling decision first, and less work after it."""

    def __init__(self, original: sdk.Tracer) -> None:
        super().__init__(original)
        self._bounds = Bounds.of(original.sampler)
        self._generator: Any = None
        self._draw: Callable[[], int] = int
        self._random = 0
        metrics = original._tracer_metrics
        self._count = None if type(metrics).__name__ == _UNCOUNTED else metrics.start_span

    def start(
        self,
        name: str,
        parent: Context | None,
        kind: SpanKind,
        describe: Describe,
        *arguments: Any,
        links: Sequence[Link] = (),
    ) -> Span:
        """See `Tracer.start`. A user's sampler may look at the attributes; then the SDK decides."""
        tracer: Any = self._original
        bounds = self._bounds
        if links or bounds is None or not tracer._tracer_config.is_enabled:
            return super().start(name, parent, kind, describe, *arguments, links=links)
        # A context without anything: most requests come with no trace.
        caller = _caller(parent) if parent or parent is None else None
        generator = tracer.id_generator
        if caller is None:
            if generator is not self._generator:
                self._ask(generator)
            bound, trace_id, random, state = bounds.root, self._draw(), self._random, None
        else:
            bound, trace_id = bounds.below(caller), caller.trace_id
            random, state = caller.trace_flags & _RANDOM, caller.trace_state
        sampled = trace_id & LIMIT < bound
        count = self._count
        ended = _nothing if count is None else count(caller, _KEEP if sampled else _DROP)
        if not sampled:
            return Unsampled(trace_id, _FLAGS[random], state, generator)
        flags = _FLAGS[random | 1]
        context = SpanContext(trace_id, generator.generate_span_id(), False, flags, state)
        span = LeanSpan(name, context, caller, kind, describe(*arguments), tracer, ended)
        span.start(parent_context=parent)
        return span

    def _ask(self, generator: Any) -> None:
        """How to draw a trace's id, and the flag of one that is random, if this generator's are."""
        self._random = _RANDOM if generator.is_trace_id_random() else 0
        is_plain = type(generator).generate_trace_id is RandomIdGenerator.generate_trace_id
        self._draw = partial(getrandbits, 128) if is_plain else generator.generate_trace_id
        self._generator = generator


class Unsampled(NonRecordingSpan):
    """A span that nobody records; its identity is made when somebody first asks for it.

    Most often nobody does: no other span is started below it, nothing is sent on, and no log
    record names it.
    """

    def __init__(
        self, trace_id: int, flags: TraceFlags, state: TraceState | None, generator: Any
    ) -> None:
        self._trace_id = trace_id
        self._flags = flags
        self._state = state
        self._generator = generator

    def get_span_context(self) -> SpanContext:
        """See `opentelemetry.trace.Span.get_span_context`."""
        made: SpanContext | None = self.__dict__.get("_context")
        if made is None:
            span_id = self._generator.generate_span_id()
            made = SpanContext(self._trace_id, span_id, False, self._flags, self._state)
            # Of two threads that ask at once, both have the first one's.
            made = self.__dict__.setdefault("_context", made)
        return made

    def __repr__(self) -> str:
        """As `NonRecordingSpan` shows itself."""
        return f"NonRecordingSpan({self.get_span_context()!r})"


class LeanSpan(sdk._Span):
    """The SDK's span, with attributes of ours, and no list before something is in it."""

    def __init__(
        self,
        name: str,
        context: SpanContext,
        parent: SpanContext | None,
        kind: SpanKind,
        attributes: Described,
        tracer: Any,
        ended: Callable[[], None] | None,
    ) -> None:
        """Set what the SDK's constructor sets; calling it would do the work that is spared."""
        self._name = name
        self._context = context
        self._parent = parent
        self._kind = kind
        self._resource = tracer.resource
        self._instrumentation_info = tracer.instrumentation_info
        self._instrumentation_scope = tracer._instrumentation_scope
        self._sampler = tracer.sampler
        self._span_processor = tracer.span_processor
        self._limits = tracer._span_limits
        self._trace_config = None
        self._record_exception = self._set_status_on_exception = True
        self._record_end_metrics = ended
        self._start_time = self._end_time = None
        self._status = _UNSET
        self._lock = Lock()
        self._events = self._links = _NONE
        self._described = attributes
        self._attributes = _bounded(attributes, self._limits.max_span_attributes)

    def tell(self, attributes: Described, name: str | None = None) -> None:
        """Set attributes that need no check, and perhaps another name."""
        with self._lock:
            if self._end_time is None:
                self._described.update(attributes)
                self._name = name or self._name

    def _add_event(self, event: Any) -> None:
        with self._lock:
            if self._events is _NONE:
                self._events = BoundedList(self._limits.max_events)
        super()._add_event(event)

    def _add_link(self, link: Any) -> None:
        with self._lock:
            if self._links is _NONE:
                self._links = BoundedList(self._limits.max_links)
        super()._add_link(link)

    def _readable_span(self) -> sdk.ReadableSpan:
        """A span that has ended can't change, so it needs no copy."""
        return self


def _nothing() -> None:
    """A span ended that the SDK does not count."""


_UNSET: Final = trace.Status(trace.StatusCode.UNSET)


def tell(span: Span, attributes: Described, name: str | None = None) -> None:
    """Set attributes of ours, which need no check, on any span, and perhaps another name."""
    if isinstance(span, LeanSpan):
        span.tell(attributes, name)
        return
    span.set_attributes(attributes)
    if name is not None:
        span.update_name(name)


def lean(original: trace.Tracer) -> Tracer:
    """The leanest tracer that makes what `original` makes."""
    if type(original) is not sdk.Tracer or not _has_what_is_needed(original):
        return Tracer(original)
    return LeanTracer(original)


def _has_what_is_needed(tracer: Any) -> bool:
    limits = getattr(tracer, "_span_limits", None)
    room = getattr(limits, "max_span_attributes", 0)
    names = ("sampler", "resource", "span_processor", "id_generator", "instrumentation_info",
             "_instrumentation_scope", "_tracer_metrics", "_tracer_config")  # fmt: skip
    return (
        all(hasattr(tracer, name) for name in names)
        and (room is None or room >= _ROOM)
        and getattr(limits, "max_span_attribute_length", 0) is None
    )


def _bounded(attributes: Described, most: int | None) -> Any:
    """The SDK's attributes around ours, which are clean."""
    made: Any = BoundedAttributes.__new__(BoundedAttributes)
    made._dict = attributes
    made._lock = Lock()
    made._immutable = False
    made.maxlen, made.max_value_len, made.dropped = most, None, 0
    return made


def _caller(parent: Context | None) -> SpanContext | None:
    """The span that a new one is below, if there is one."""
    context = trace.get_current_span(parent).get_span_context()
    return context if context.is_valid else None
