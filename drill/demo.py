"""The switches of the demo: its faults, and the load on it."""

from __future__ import annotations

from typing import Final

import httpx

_TIMEOUT_SECONDS: Final = 10

SERVICE: Final = "orders"
"""The service that the faults are in, and that the pages must be about."""


class Demo:
    """A client of the orders service and of the load generator."""

    def __init__(self, orders: str, load: str) -> None:
        # A proxy of the environment has no business with these addresses.
        self._http = httpx.Client(timeout=_TIMEOUT_SECONDS, trust_env=False)
        self._orders = orders
        self._load = load

    def switch_fault(self, name: str, enabled: bool) -> None:
        """Switch one of the service's faults on or off."""
        url = f"{self._orders}/admin/faults/{name}"
        self._http.put(url, json={"enabled": enabled}).raise_for_status()

    def set_load(self, factor: float) -> None:
        """Multiply the usual load by a factor, at once."""
        self._http.put(f"{self._load}/factor", json={"factor": factor}).raise_for_status()

    def close(self) -> None:
        """Close the connections."""
        self._http.close()
