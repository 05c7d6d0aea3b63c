"""Whose request is running: how a database or outbound observation finds its telemetry."""

from __future__ import annotations

from contextvars import ContextVar
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from instrumentation.telemetry import Telemetry


class Excluded:
    """Stands in place of a telemetry while an excluded request runs."""


EXCLUDED: Final = Excluded()

in_request: ContextVar[Telemetry | Excluded | None] = ContextVar(
    "instrumentation_telemetry", default=None
)
"""The telemetry of the request in this context."""

active: list[Telemetry] = []
"""Every instrumented application's telemetry, the oldest first."""


def current() -> Telemetry | None:
    """The telemetry of the request in context, else of the first instrumented application.

    None in an excluded request: a health check that asks the database would leave a trace of
    one statement each time.
    """
    found = in_request.get()
    if isinstance(found, Excluded):
        return None
    if found is not None:
        return found
    return active[0] if active else None
