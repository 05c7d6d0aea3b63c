"""The payment provider thinks for long."""

from __future__ import annotations

import asyncio

from demo_service.faults.fault import RequestFault


class SlowCharges(RequestFault):
    """Waits before a charge is answered, inside the provider."""

    name = "slow_charges"
    summary = "Charges take long."
    seconds = 1.5

    async def strike(self) -> None:
        """Wait."""
        await asyncio.sleep(self.seconds)
