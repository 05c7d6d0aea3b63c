"""Database statements and connection pools, as SQLAlchemy runs them."""

from __future__ import annotations

from instrumentation.telemetry import Telemetry


def install(telemetry: Telemetry) -> None:
    """Observe SQLAlchemy for `telemetry`, where it is installed.

    Raises:
        ValueError: `engines` were given, and one of them is no SQLAlchemy engine.
    """
    try:
        import sqlalchemy  # noqa: F401 - the question is whether it is there
    except ModuleNotFoundError:
        if telemetry.engines is not None:
            raise ValueError(
                "engines need SQLAlchemy: pip install 'fastapi-observability-bundle[sqlalchemy]'"
            ) from None
        return
    from instrumentation.database import life

    life.install(telemetry)
