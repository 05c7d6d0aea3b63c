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
from instrumentation.database.sql import Described, describe
from instrumentation.exemplars import exemplar
from instrumentation.telemetry import Telemetry

_SYSTEMS: Final = {"mssql": "microsoft.sql_server", "oracle": "oracle.db"}
"""Where SQLAlchemy's name of a dialect isn't the semantic conventions' name of the system."""

_MINE: Final = "_instrumentation_statement"
_installed: set[Telemetry] = set()


def install(telemetry: Telemetry) -> None:
    """Observe engines for `telemetry`; the listeners are set once for all applications.

    Raises:
        ValueError: one of `telemetry.engines` is no SQLAlchemy engine.
    """
    for engine in telemetry.engines or ():
        if not isinstance(getattr(engine, "sync_engine", engine), Engine):
            raise ValueError(f"engines must hold SQLAlchemy engines, got {engine!r}")
    if not _installed:
        for name, listener in _LISTENERS.items():
            event.listen(Engine, name, listener)
    _installed.add(telemetry)
    telemetry.on_uninstrument(lambda: _uninstall(telemetry))


def _uninstall(telemetry: Telemetry) -> None:
    _installed.discard(telemetry)
    if not _installed:
        for name, listener in _LISTENERS.items():
            event.remove(Engine, name, listener)


class Statement:
    """One statement under way."""

    __slots__ = ("_began", "_described", "_span", "_system", "_telemetry")

    def __init__(self, telemetry: Telemetry, engine: Engine, text: str) -> None:
        dialect = engine.dialect.name
        self._system = _SYSTEMS.get(dialect, dialect)
        self._described = describe(text, mysql=dialect in ("mysql", "mariadb"))
        self._telemetry = telemetry
        self._span = telemetry.tracer.start_span(
            self._described.summary,
            kind=SpanKind.CLIENT,
            attributes=_attributes(self._system, self._described, engine),
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


def _attributes(system: str, described: Described, engine: Engine) -> dict[str, str | int]:
    url = engine.url
    attributes: dict[str, str | int] = {
        "db.system.name": system,
        "db.operation.name": described.operation,
        "db.query.text": described.text,
        "db.query.summary": described.summary,
    }
    if url.database:
        attributes["db.namespace"] = url.database
    if url.host:
        attributes["server.address"] = url.host
    if url.port:
        attributes["server.port"] = url.port
    return attributes


def _observer(engine: Engine) -> Telemetry | None:
    """Whose observation a statement on `engine` is, if anybody's."""
    telemetry = current()
    if telemetry is None or telemetry not in _installed:
        return None
    if telemetry.engines is None:
        return telemetry
    # `engine.execution_options()` makes another engine on the same pool.
    listed = (getattr(item, "sync_engine", item).pool for item in telemetry.engines)
    return telemetry if any(pool is engine.pool for pool in listed) else None


def _before(
    connection: Connection,
    cursor: object,
    statement: str,
    parameters: object,
    context: ExecutionContext | None,
    executemany: bool,
) -> None:
    telemetry = _observer(connection.engine)
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
