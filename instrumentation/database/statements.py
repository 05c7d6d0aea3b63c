"""A span and an observation for each statement that SQLAlchemy sends.

The listeners are ours, on SQLAlchemy's public events, and not those of
`opentelemetry-instrumentation-sqlalchemy` 0.66b1, which has no hook to reach any of this: it
refuses SQLAlchemy 2.1, keeps literals in the statement, records no exception event, adds a
`connect` span, misses engines that were made before it, and measures into a meter only. The
events are listened to on the `Engine` class, so every engine is seen, whenever it was made.
"""

from __future__ import annotations

import time
from typing import Any, Final

from opentelemetry.trace import SpanKind
from sqlalchemy import event
from sqlalchemy.engine import Connection, Engine, ExceptionContext, ExecutionContext

from instrumentation import exceptions
from instrumentation.context import current
from instrumentation.database.observers import observer
from instrumentation.database.sql import Described, describe
from instrumentation.database.targets import Target, target
from instrumentation.exemplars import exemplar
from instrumentation.telemetry import Telemetry

_MINE: Final = "_instrumentation_statement"


def install() -> None:
    """Set the listeners; once for all applications."""
    for name, listener in _LISTENERS.items():
        event.listen(Engine, name, listener)


def uninstall() -> None:
    """Take the listeners away."""
    for name, listener in _LISTENERS.items():
        event.remove(Engine, name, listener)


class Statement:
    """One statement under way."""

    __slots__ = ("_began", "_described", "_span", "_system", "_telemetry")

    def __init__(self, telemetry: Telemetry, engine: Engine, text: str) -> None:
        found = target(engine)
        self._system = found.system
        self._described = describe(text, mysql=found.system in ("mysql", "mariadb"))
        self._telemetry = telemetry
        self._span = telemetry.tracer.start_span(
            self._described.summary,
            kind=SpanKind.CLIENT,
            attributes=_attributes(found, self._described),
        )
        self._began = time.perf_counter()

    def end(self, error: BaseException | None = None) -> None:
        """The statement is done, or failed with `error`."""
        seconds = time.perf_counter() - self._began
        error_type = "" if error is None else exceptions.error_type(error)
        duration = self._telemetry.families.database_duration.child(
            self._system, self._described.operation, error_type
        )
        duration.observe(seconds, exemplar(self._span))
        try:
            if error is not None and self._span.is_recording():
                exceptions.fail(self._span, error, by_driver=True)
        finally:
            self._span.end()


def _attributes(found: Target, described: Described) -> dict[str, str | int]:
    attributes: dict[str, str | int] = {
        "db.system.name": found.system,
        "db.operation.name": described.operation,
        "db.query.text": described.text,
        "db.query.summary": described.summary,
    }
    if found.namespace is not None:
        attributes["db.namespace"] = found.namespace
    if found.address is not None:
        attributes["server.address"] = found.address
    if found.port is not None:
        attributes["server.port"] = found.port
    return attributes


def _before(
    connection: Connection,
    cursor: object,
    statement: str,
    parameters: object,
    context: ExecutionContext | None,
    executemany: bool,
) -> None:
    telemetry = observer(connection.engine.pool)
    if telemetry is None or context is None:
        return
    try:
        setattr(context, _MINE, Statement(telemetry, connection.engine, statement))
    except Exception as error:
        telemetry.errors.report("database", error)


def _after(
    connection: Connection,
    cursor: object,
    statement: str,
    parameters: object,
    context: ExecutionContext | None,
    executemany: bool,
) -> None:
    _end(context, None)


def _failed(failure: ExceptionContext) -> None:
    _end(failure.execution_context, failure.original_exception)


def _end(context: ExecutionContext | None, error: BaseException | None) -> None:
    statement: Statement | None = getattr(context, _MINE, None)
    if statement is None:
        return
    delattr(context, _MINE)
    try:
        statement.end(error)
    except Exception as failure:
        telemetry = current()
        if telemetry is not None:
            telemetry.errors.report("database", failure)


_LISTENERS: Final[dict[str, Any]] = {
    "before_cursor_execute": _before,
    "after_cursor_execute": _after,
    "handle_error": _failed,
}
