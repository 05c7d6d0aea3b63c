"""How long one export may take."""

from __future__ import annotations

import os
from typing import Final

_OTLP_SECONDS: Final = 10.0
"""The protocol's own bound, where OTEL_EXPORTER_OTLP_TIMEOUT names none."""


def seconds(signal: str, longest: float) -> float:
    """The exporter's own bound, unless whoever hands it a batch waits for less.

    Arguments:
        signal: TRACES or METRICS, as OpenTelemetry's variables are named.
        longest: what the setting for the batch allows.
    """
    prefix = "OTEL_EXPORTER_OTLP"
    for name in (f"{prefix}_{signal}_TIMEOUT", f"{prefix}_TIMEOUT"):
        if asked := os.environ.get(name, "").strip():
            return min(float(asked), longest)
    return min(_OTLP_SECONDS, longest)
