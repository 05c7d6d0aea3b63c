"""Exceptions as span events, without what an exception's text may leak."""

from __future__ import annotations

import traceback

from opentelemetry.trace import Span


def error_type(error: BaseException) -> str:
    """The class name of `error`, qualified by its module unless it is a builtin."""
    kind = type(error)
    return kind.__qualname__ if kind.__module__ == "builtins" else _qualified(kind)


def record(span: Span, error: BaseException) -> None:
    """Add the `exception` event of the semantic conventions to `span`.

    Not `span.record_exception`: the text of an SQLAlchemy error holds the statement with its
    parameters, in the message and again at the end of the stack trace.
    """
    span.add_event(
        "exception",
        {
            "exception.type": error_type(error),
            "exception.message": _message(error),
            "exception.stacktrace": _stacktrace(error),
        },
    )


def _qualified(kind: type[BaseException]) -> str:
    return f"{kind.__module__}.{kind.__qualname__}"


def _message(error: BaseException) -> str:
    """SQLAlchemy's StatementError carries the driver's own error, which has no parameters."""
    if hasattr(error, "statement") and hasattr(error, "params"):
        original = getattr(error, "orig", None)
        return str(original) if original is not None else type(error).__name__
    return str(error)


def _stacktrace(error: BaseException) -> str:
    """Frames of the error and of what caused it, the cause first, as Python prints them."""
    parts: list[str] = []
    seen: set[int] = set()
    current: BaseException | None = error
    while current is not None and id(current) not in seen:
        seen.add(id(current))
        frames = "".join(traceback.format_tb(current.__traceback__))
        parts.append(
            f"Traceback (most recent call last):\n{frames}{error_type(current)}: "
            f"{_message(current)}\n"
        )
        hidden = current.__suppress_context__
        current = current.__cause__ or (None if hidden else current.__context__)
    return "\nwhich led to:\n\n".join(reversed(parts))
