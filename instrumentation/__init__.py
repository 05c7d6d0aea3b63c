"""Observe a FastAPI service: one call, `instrument(app)`.

    from instrumentation import instrument

    telemetry = instrument(app)

Requests, SQLAlchemy statements and outbound httpx calls are traced (OpenTelemetry, sent over
OTLP) and measured (prometheus-client, answered at `/metrics`).
"""

from __future__ import annotations

from instrumentation.settings import Settings
from instrumentation.telemetry import Telemetry
from instrumentation.wiring import instrument

__all__ = ["Settings", "Telemetry", "instrument"]
