"""Exceptions as span events, without what an exception's text may leak."""

from __future__ import annotations

import traceback

from opentelemetry.trace import Span, Status, StatusCode

from instrumentation.redaction import driver_message, message

_MOST_MEMBERS = 10


def error_type(error: BaseException) -> str:
    """The class name of `error`, qualified by its module unless it is a builtin."""
    kind = type(error)
    return kind.__qualname__ if kind.__module__ == "builtins" else _qualified(kind)


def fail(span: Span, error: BaseException, *, by_driver: bool = False) -> None:
    """Mark `span` as failed with `error`; the arguments are those of `record`."""
    span.set_attribute("error.type", error_type(error))
    span.set_status(Status(StatusCode.ERROR))
    record(span, error, by_driver=by_driver)


def record(span: Span, error: BaseException, *, by_driver: bool = False) -> None:
    """Add the `exception` event of the semantic conventions to `span`.

    Not `span.record_exception`: the text of an SQLAlchemy error holds the statement with its
    parameters, in the message and again at the end of the stack trace.

    Arguments:
        by_driver: `error` is a database driver's own.
    """
    told = _causes(error, by_driver)
    span.add_event(
        "exception",
        {
            "exception.type": error_type(error),
            "exception.message": told[0][1],
            "exception.stacktrace": _stacktrace(told, by_driver),
        },
    )


def _qualified(kind: type[BaseException]) -> str:
    return f"{kind.__module__}.{kind.__qualname__}"


def _causes(error: BaseException, by_driver: bool) -> list[tuple[BaseException, str]]:
    """The error and what caused it, the last cause last, each with what may be told of it."""
    told: list[tuple[BaseException, str]] = []
    seen: set[int] = set()
    current: BaseException | None = error
    while current is not None and id(current) not in seen:
        seen.add(id(current))
        if getattr(current, "statement", None) is not None and hasattr(current, "params"):
            # SQLAlchemy's StatementError: what caused it came from the driver.
            by_driver = True
            original = getattr(current, "orig", None)
            text = type(current).__name__ if original is None else driver_message(original)
        else:
            text = driver_message(current) if by_driver else message(current)
        told.append((current, text))
        hidden = current.__suppress_context__
        current = current.__cause__ or (None if hidden else current.__context__)
    return told


def _stacktrace(told: list[tuple[BaseException, str]], by_driver: bool) -> str:
    """Every error's frames and last line as Python prints them, the first cause first."""
    return "\nwhich led to:\n\n".join(
        f"Traceback (most recent call last):\n"
        f"{''.join(traceback.format_tb(error.__traceback__))}{error_type(error)}: {text}\n"
        f"{_members(error, by_driver)}"
        for error, text in reversed(told)
    )


def _members(error: BaseException, by_driver: bool) -> str:
    """The errors of a group, of which its own text tells nothing but the number."""
    if not isinstance(error, BaseExceptionGroup):
        return ""
    return "".join(
        f"\nin this group:\n\n{_stacktrace(_causes(member, by_driver), by_driver)}"
        for member in error.exceptions[:_MOST_MEMBERS]
    )
