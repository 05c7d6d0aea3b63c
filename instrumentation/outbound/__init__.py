"""Outbound HTTP calls: how httpx and httpx2 make them is observed, and helpers for making them.

    from instrumentation.outbound import RetryPolicy, async_client

    client = async_client(base_url="https://payments.internal", retries=RetryPolicy(attempts=2))

The helpers are imported when they are asked for: they need httpx and tenacity, which the
observation does without.
"""

from __future__ import annotations

from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

from instrumentation.extras import remedy
from instrumentation.imports import when_imported
from instrumentation.telemetry import Telemetry

if TYPE_CHECKING:
    from instrumentation.outbound.clients import async_client, client
    from instrumentation.outbound.policy import RetryPolicy

__all__ = ["RetryPolicy", "async_client", "client", "install"]

_LIBRARIES: Final = ("httpx", "httpx2")
_PLACES: Final = {"RetryPolicy": "policy", "async_client": "clients", "client": "clients"}


def install(telemetry: Telemetry) -> None:
    """Observe httpx and httpx2 for `telemetry`, as soon as the application has imported them."""
    for name in _LIBRARIES:
        when_imported(name, telemetry, partial(_observe, name))


def _observe(name: str, telemetry: Telemetry) -> None:
    from instrumentation.outbound import calls

    calls.install(telemetry, name)


def __getattr__(name: str) -> Any:
    """One of the helpers.

    Raises:
        ModuleNotFoundError: what it needs isn't installed.
    """
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        return getattr(import_module(f"instrumentation.outbound.{_PLACES[name]}"), name)
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(f"{name} needs {error.name}: {remedy('httpx')}") from error
