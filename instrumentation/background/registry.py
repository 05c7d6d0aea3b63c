"""Whose background work is whose."""

from __future__ import annotations

from instrumentation.background.work import Background
from instrumentation.context import current
from instrumentation.telemetry import Telemetry

installed: dict[Telemetry, Background] = {}
"""The background work of every instrumented application."""


def background() -> Background | None:
    """The background work of the application whose request runs, else of the first one."""
    telemetry = current()
    return None if telemetry is None else installed.get(telemetry)
