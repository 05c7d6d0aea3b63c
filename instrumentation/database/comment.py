"""The trace in a comment behind the statement, so that the database's own log leads to it.

The form is sqlcommenter's (https://google.github.io/sqlcommenter/spec/): quoted, URL-encoded
pairs, of which there is one, whose value needs neither.
"""

from __future__ import annotations

from opentelemetry import trace
from opentelemetry.trace import Span


def commented(statement: str, span: Span) -> str:
    """`statement` with the `traceparent` of `span`.

    As it is where the span is not sampled, because nobody could find its trace: then the text
    stays the same from call to call, and with it the prepared statement. As it is, too, where it
    holds a comment already, which may be a hint or, at the end of a line, swallow ours.
    """
    context = span.get_span_context()
    if not context.trace_flags.sampled or "--" in statement or "/*" in statement:
        return statement
    parent = f"{trace.format_trace_id(context.trace_id)}-{trace.format_span_id(context.span_id)}"
    return f"{statement} /*traceparent='00-{parent}-{context.trace_flags:02x}'*/"
