"""Begins and ends the observation of SQLAlchemy: hooks are set once for all applications."""

from __future__ import annotations

from instrumentation.database import borrowing, observers, pools, statements
from instrumentation.telemetry import Telemetry


def install(telemetry: Telemetry) -> None:
    """Observe for `telemetry`.

    Raises:
        ValueError: one of `telemetry.engines` is no SQLAlchemy engine.
    """
    observers.check(telemetry.engines)
    if not observers.installed:
        statements.install()
        borrowing.install()
    observers.installed.add(telemetry)
    pools.install(telemetry)
    telemetry.on_uninstrument(lambda: _uninstall(telemetry))
    borrowing.watch_engines(telemetry)


def _uninstall(telemetry: Telemetry) -> None:
    observers.installed.discard(telemetry)
    pools.uninstall(telemetry)
    if not observers.installed:
        statements.uninstall()
        borrowing.uninstall()
