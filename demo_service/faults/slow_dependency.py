"""The orders service is well, but what it depends on is slow."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx

from demo_service.faults.fault import Change, Fault
from demo_service.faults.slow_charges import SlowCharges
from demo_service.problems import Problem

if TYPE_CHECKING:
    from collections.abc import Callable


class SlowDependency(Fault):
    """Passes the switch on to the payment provider: the delay is really there, not here."""

    name = "slow_dependency"
    summary = "The payment provider is slow."
    seconds = SlowCharges.seconds

    def __init__(self, client: Callable[[], httpx.AsyncClient]) -> None:
        super().__init__()
        self._client = client

    async def switch(self, change: Change) -> None:
        """Switch the provider's own fault.

        Raises:
            Problem: The provider did not do as told (502).
        """
        path = f"/admin/faults/{SlowCharges.name}"
        body = change.model_dump(exclude_none=True)
        try:
            response = await self._client().put(path, json=body)
            response.raise_for_status()
        except httpx.HTTPError as error:
            raise Problem(502, f"The payment provider did not switch its fault: {error}") from error
        await super().switch(change)
