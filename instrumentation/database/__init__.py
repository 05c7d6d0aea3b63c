"""Database statements and connection pools, as SQLAlchemy runs them."""

from __future__ import annotations

from instrumentation.extras import remedy
from instrumentation.imports import when_imported
from instrumentation.telemetry import Telemetry


def install(telemetry: Telemetry) -> None:
    """Observe SQLAlchemy for `telemetry`, as soon as the application has imported it.

    Raises:
        ValueError: `engines` were given, and one of them is no SQLAlchemy engine.
    """
    if telemetry.engines is None:
        when_imported("sqlalchemy", telemetry, _observe)
        return
    try:
        _observe(telemetry)
    except ModuleNotFoundError:
        raise ValueError(f"engines need SQLAlchemy: {remedy('sqlalchemy')}") from None


def _observe(telemetry: Telemetry) -> None:
    from instrumentation.database import life

    life.install(telemetry)
