"""The spans below a request: none are made where nobody would keep them."""

from __future__ import annotations

from typing import Any

from opentelemetry import trace
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, ParentBased
from opentelemetry.trace import Span, SpanKind

from instrumentation.tracer import Tracer


class Children:
    """Starts client spans with one tracer.

    Asking the SDK for a span that its sampler drops costs a third of one that is kept. Where the
    sampler is known to drop every child of a trace that isn't sampled, the parent stands in for
    the child: it records nothing, and passes the same decision on to the next service.
    """

    def __init__(self, tracer: Tracer) -> None:
        self._tracer = tracer
        self._follows_parent = _drops_with_the_parent(tracer)

    def start(self, name: str, attributes: dict[str, Any] | None = None) -> Span:
        """A client span below the current span, or a stand-in that records nothing."""
        return self.stand_in() or self.make(name, attributes)

    def stand_in(self) -> Span | None:
        """The current span, where none below it would be kept: whoever asks spares attributes."""
        if not self._follows_parent:
            return None
        parent = trace.get_current_span()
        context = parent.get_span_context()
        dropped = context.is_valid and not context.trace_flags.sampled
        return parent if dropped and not parent.is_recording() else None

    def make(self, name: str, attributes: dict[str, Any] | None = None) -> Span:
        """A client span, if the sampler wants it."""
        return self._tracer.start(name, None, SpanKind.CLIENT, dict, attributes or ())


def _drops_with_the_parent(tracer: Tracer) -> bool:
    """True for the SDK's parent-based samplers in their usual form, false where in doubt."""
    sampler = tracer.sampler
    if not isinstance(sampler, ParentBased):
        return False
    rules = ("_local_parent_not_sampled", "_remote_parent_not_sampled")  # told in no public way
    return all(getattr(sampler, rule, None) is ALWAYS_OFF for rule in rules)
