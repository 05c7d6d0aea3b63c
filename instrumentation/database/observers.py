"""Who observes an engine, if anybody does."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy.engine import Engine
from sqlalchemy.pool import Pool

from instrumentation.context import current
from instrumentation.telemetry import Telemetry

installed: Final[set[Telemetry]] = set()
"""Every telemetry that observes databases."""


def check(engines: tuple[Any, ...] | None) -> None:
    """Raise a ValueError where one of `engines` is no SQLAlchemy engine."""
    for engine in engines or ():
        if not isinstance(sync(engine), Engine):
            raise ValueError(f"engines must hold SQLAlchemy engines, got {engine!r}")


def sync(engine: Any) -> Any:
    """The engine itself, or the synchronous one inside an AsyncEngine."""
    return getattr(engine, "sync_engine", engine)


def observer(pool: Pool) -> Telemetry | None:
    """Whose observation is what happens on `pool` now; None in an excluded request."""
    telemetry = current()
    if telemetry is None or telemetry not in installed:
        return None
    return telemetry if observes(telemetry, pool) else None


def anybody(pool: Pool) -> bool:
    """True where some telemetry observes `pool`, if not for the request that runs now."""
    return any(observes(telemetry, pool) for telemetry in tuple(installed))


def observes(telemetry: Telemetry, pool: Pool) -> bool:
    """True unless other engines were named.

    Pools are compared: `engine.execution_options()` makes another engine on the same pool.
    """
    if telemetry.engines is None:
        return True
    return any(sync(engine).pool is pool for engine in telemetry.engines)
