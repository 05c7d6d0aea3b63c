"""Outbound HTTP calls, as httpx makes them."""

from __future__ import annotations

from importlib.util import find_spec

from instrumentation.telemetry import Telemetry

_NEEDED = ("httpx", "opentelemetry.instrumentation.httpx", "wrapt")


def install(telemetry: Telemetry) -> None:
    """Observe httpx for `telemetry`, where it and its OpenTelemetry instrumentation are there.

    Both come with `pip install 'fastapi-observability-bundle[httpx]'`.
    """
    if all(_is_there(name) for name in _NEEDED):
        from instrumentation.outbound import calls

        calls.install(telemetry)


def _is_there(name: str) -> bool:
    try:
        return find_spec(name) is not None
    except ModuleNotFoundError:  # a parent package is missing
        return False
