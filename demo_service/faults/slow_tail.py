"""A few requests are slow, the rest are not."""

from __future__ import annotations

import asyncio

from demo_service.faults.fault import RequestFault


class SlowTail(RequestFault):
    """Waits before the endpoint runs, without holding anything that others need."""

    name = "slow_tail"
    summary = "A few requests wait, so that p99 leaves p50 behind."
    probability = 0.04
    seconds = 1.2

    async def strike(self) -> None:
        """Wait."""
        await asyncio.sleep(self.seconds)
