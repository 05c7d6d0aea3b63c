"""A span and an observation for each statement that SQLAlchemy sends.

The listeners are ours, on SQLAlchemy's public events, and not those of
`opentelemetry-instrumentation-sqlalchemy` 0.66b1, which has no hook to reach any of this: it
refuses SQLAlchemy 2.1, keeps literals in the statement, records no exception event, adds a
`connect` span, misses engines that were made before it, and measures into a meter only. The
events are listened to on the `Engine` class, so every engine is seen, whenever it was made.
"""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import event
from sqlalchemy.engine import Connection, Engine, ExceptionContext, ExecutionContext
from sqlalchemy.engine.interfaces import ExecuteStyle

from instrumentation.context import current
from instrumentation.database.comment import commented
from instrumentation.database.observers import observer
from instrumentation.database.statement import Statement
from instrumentation.database.targets import target

_MINE: Final = "_instrumentation_statement"


def install() -> None:
    """Set the listeners; once for all applications."""
    event.listen(Engine, "before_cursor_execute", _before, retval=True)
    event.listen(Engine, "after_cursor_execute", _after)
    event.listen(Engine, "handle_error", _failed)


def uninstall() -> None:
    """Take the listeners away."""
    event.remove(Engine, "handle_error", _failed)
    event.remove(Engine, "after_cursor_execute", _after)
    event.remove(Engine, "before_cursor_execute", _before)


def _before(
    connection: Connection,
    cursor: object,
    statement: str,
    parameters: Any,
    context: ExecutionContext | None,
    executemany: bool,
) -> tuple[str, Any]:
    telemetry = observer(connection.engine.pool)
    if telemetry is None or context is None:
        return statement, parameters
    try:
        # `executemany` is true also of one INSERT with the values of many rows.
        style = getattr(context, "execute_style", None)
        batch = len(parameters) if style is ExecuteStyle.EXECUTEMANY else 1
        mine = Statement(telemetry, target(connection.engine), statement, batch)
        setattr(context, _MINE, mine)
        if telemetry.settings.sqlcommenter:
            statement = commented(statement, mine.span)
    except Exception as error:
        telemetry.errors.report("database", error)
    return statement, parameters


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
