"""One statement on its way to the database and back."""

from __future__ import annotations

import time
from functools import lru_cache
from typing import Any, Final, NamedTuple

from opentelemetry.trace import Span

from instrumentation import exceptions
from instrumentation.database.sql import describe
from instrumentation.database.targets import Target
from instrumentation.telemetry import Telemetry

_LARGEST_KEPT: Final = 4096
"""Characters of a statement that is remembered as a whole."""
_MYSQL: Final = ("mysql", "mariadb")


class Known(NamedTuple):
    """What is the same each time a statement is sent to a database."""

    operation: str
    summary: str
    attributes: dict[str, Any]


class Statement:
    """One statement under way.

    Arguments:
        batch: how many sets of parameters `executemany` was given, 1 for a single statement.
    """

    __slots__ = ("_began", "_known", "_system", "_telemetry", "span")

    def __init__(self, telemetry: Telemetry, to: Target, text: str, batch: int) -> None:
        look_up = _known if len(text) <= _LARGEST_KEPT else _known.__wrapped__
        self._known = look_up(to, text, batch > 1)
        self._system = to.system
        self._telemetry = telemetry
        self.span: Span = telemetry.children.start(self._known.summary, self._known.attributes)
        if batch > 1:
            self.span.set_attribute("db.operation.batch.size", batch)
        self._began = time.perf_counter()

    def end(self, error: BaseException | None = None) -> None:
        """The statement is done, or failed with `error`."""
        seconds = time.perf_counter() - self._began
        error_type = "" if error is None else exceptions.error_type(_by_driver(error))
        duration = self._telemetry.families.database_duration.child(
            self._system, self._known.operation, error_type
        )
        duration.observe_in(self.span, seconds)
        try:
            if error is not None and self.span.is_recording():
                self._fail(error, error_type)
        finally:
            self.span.end()

    def _fail(self, error: BaseException, error_type: str) -> None:
        exceptions.fail(self.span, error, by_driver=True)
        self.span.set_attribute("error.type", error_type)
        code = _status_code(_by_driver(error), self._system)
        if code is not None:
            self.span.set_attribute("db.response.status_code", code)


@lru_cache(maxsize=1024)
def _known(to: Target, text: str, batch: bool) -> Known:
    """The statements that a service sends are few, so what is known of them is kept."""
    described = describe(text, mysql=to.system in _MYSQL)
    prefix = "BATCH " if batch else ""
    attributes = {
        "db.system.name": to.system,
        "db.operation.name": prefix + described.operation,
        "db.query.text": described.text,
        "db.query.summary": prefix + described.summary,
        "db.namespace": to.namespace,
        "server.address": to.address,
        "server.port": to.port,
    }
    return Known(
        prefix + described.operation,
        prefix + described.summary,
        {name: value for name, value in attributes.items() if value is not None},
    )


def _by_driver(error: BaseException) -> BaseException:
    """The driver's own error, where SQLAlchemy's adapter for asyncio made another of it."""
    adapted = type(error).__module__.startswith("sqlalchemy.")
    return error.__cause__ if adapted and error.__cause__ is not None else error


def _status_code(error: BaseException, system: str) -> str | None:
    """The database's own code: SQLSTATE, or SQLite's and MySQL's numbers."""
    code = getattr(error, "sqlstate", None) or getattr(error, "sqlite_errorcode", None)
    if code is None and system in _MYSQL and error.args and isinstance(error.args[0], int):
        code = error.args[0]
    return None if code is None else str(code)
