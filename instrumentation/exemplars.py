"""The link from an observation to its trace."""

from __future__ import annotations

from typing import TYPE_CHECKING

from opentelemetry import trace

if TYPE_CHECKING:
    from opentelemetry.trace import SpanContext


def labels(context: SpanContext) -> dict[str, str]:
    """The exemplar's labels for a span that was sampled; nobody has another one."""
    return {
        "trace_id": trace.format_trace_id(context.trace_id),
        "span_id": trace.format_span_id(context.span_id),
    }
