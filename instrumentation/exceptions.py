"""Exceptions as span events, without what an exception's text may leak."""

from __future__ import annotations

import traceback

from opentelemetry.trace import Span, Status, StatusCode

from instrumentation.context import active, current
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
    seen: set[int] = set()
    told = _causes(error, by_driver, seen)
    event = {
        "exception.type": error_type(error),
        "exception.stacktrace": _stacktrace(told, by_driver, seen),
    }
    if _is_told():
        event["exception.message"] = told[0][1]
    span.add_event("exception", event)


def _is_told() -> bool:
    """Whether the texts of exceptions may be told; outside of any request, if all agree."""
    here = current()
    return all(one.settings.exception_messages for one in ([here] if here else active))


def _qualified(kind: type[BaseException]) -> str:
    return f"{kind.__module__}.{kind.__qualname__}"


def _causes(
    error: BaseException, by_driver: bool, seen: set[int]
) -> list[tuple[BaseException, str]]:
    """The error and what caused it, the last cause last, each with what may be told of it.

    Arguments:
        seen: those that are told already: a member may have its own group for its context.
    """
    told: list[tuple[BaseException, str]] = []
    cause: BaseException | None = error
    while cause is not None and id(cause) not in seen:
        seen.add(id(cause))
        if getattr(cause, "statement", None) is not None and hasattr(cause, "params"):
            # SQLAlchemy's StatementError: what caused it came from the driver.
            by_driver = True
            original = getattr(cause, "orig", None)
            text = type(cause).__name__ if original is None else driver_message(original)
        else:
            text = driver_message(cause) if by_driver else message(cause)
        told.append((cause, text if _is_told() else ""))
        hidden = cause.__suppress_context__
        cause = cause.__cause__ or (None if hidden else cause.__context__)
    return told


def _stacktrace(told: list[tuple[BaseException, str]], by_driver: bool, seen: set[int]) -> str:
    """Every error's frames and last line as Python prints them, the first cause first."""
    return "\nwhich led to:\n\n".join(
        f"Traceback (most recent call last):\n"
        f"{''.join(traceback.format_tb(error.__traceback__))}"
        f"{error_type(error)}{text and f': {text}'}\n"
        f"{_members(error, by_driver, seen)}"
        for error, text in reversed(told)
    )


def _members(error: BaseException, by_driver: bool, seen: set[int]) -> str:
    """The errors of a group, of which its own text tells nothing but the number."""
    if not isinstance(error, BaseExceptionGroup):
        return ""
    return "".join(
        f"\nin this group:\n\n{_stacktrace(told, by_driver, seen)}"
        for member in error.exceptions[:_MOST_MEMBERS]
        if (told := _causes(member, by_driver, seen))
    )
