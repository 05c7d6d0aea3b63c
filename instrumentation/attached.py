"""OpenTelemetry's current context, attached and detached with less work.

Its functions pass through two others to the `ContextVar` that holds the context. Where it is held
in another way (`OTEL_PYTHON_CONTEXT`), they are called as they are.
"""

from __future__ import annotations

from contextvars import ContextVar
from typing import Any, Final

from opentelemetry import context as otel
from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.trace import Span, propagation

_KEY: Final[str | None] = getattr(propagation, "_SPAN_KEY", None)
_HELD: Final[Any] = getattr(getattr(otel, "_RUNTIME_CONTEXT", None), "_current_context", None)
_IS_VARIABLE: Final = isinstance(_HELD, ContextVar)

NOBODY: Final = Context()
"""The context of nobody's request."""

attach: Any = _HELD.set if _IS_VARIABLE else otel.attach
"""Make a context the current one; returns what `detach` wants."""

detach: Any = _HELD.reset if _IS_VARIABLE else otel.detach
"""Make the one before the current one again.

Raises:
    ValueError: called in another context than `attach` was, as a task is that nobody finished.
"""


def within(span: Span, parent: Context) -> Context:
    """`parent` with `span` as its current span."""
    if parent or _KEY is None:
        return trace.set_span_in_context(span, parent)
    return Context({_KEY: span})
