"""Observe a FastAPI service: one call, `instrument(app)`.

    from instrumentation import instrument

    telemetry = instrument(app)

Requests, SQLAlchemy statements and outbound httpx calls are traced (OpenTelemetry, sent over
OTLP) and measured (prometheus-client, answered at `/metrics`). `instrument_worker()` does the same
for the jobs of a process that serves no requests.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from instrumentation.settings import Settings
    from instrumentation.telemetry import Telemetry
    from instrumentation.wiring import instrument
    from instrumentation.worker import instrument_worker

__all__ = ["Settings", "Telemetry", "instrument", "instrument_worker"]

_HOME: Final = {
    "Settings": "settings",
    "Telemetry": "telemetry",
    "instrument": "wiring",
    "instrument_worker": "worker",
}


def __getattr__(name: str) -> Any:
    """Import a name when it is first asked for.

    The plugin is a part of every run of pytest wherever this package is installed: it must not
    bring OpenTelemetry, Starlette and prometheus-client into runs that have no use for them.
    """
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
