"""Whose request is running: how a database or outbound observation finds its telemetry."""

from __future__ import annotations

from contextvars import ContextVar
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from instrumentation.telemetry import Telemetry

in_request: ContextVar[Telemetry | None] = ContextVar("instrumentation_telemetry", default=None)
"""The telemetry of the request in this context."""

active: list[Telemetry] = []
"""Every instrumented application's telemetry, the oldest first."""


def current() -> Telemetry | None:
    """The telemetry of the request in context, else of the first instrumented application."""
    found = in_request.get()
    if found is not None:
        return found
    return active[0] if active else None
