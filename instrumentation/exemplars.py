"""The link from an observation to its trace."""

from __future__ import annotations

from opentelemetry import trace


def exemplar(span: trace.Span | None) -> dict[str, str] | None:
    """The exemplar's labels for `span`; None unless it was sampled, since nobody has it then."""
    if span is None:
        return None
    context = span.get_span_context()
    if not context.trace_flags.sampled:
        return None
    return {
        "trace_id": trace.format_trace_id(context.trace_id),
        "span_id": trace.format_span_id(context.span_id),
    }
