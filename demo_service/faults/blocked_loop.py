"""Synchronous work on the event loop: one request holds up all the others."""

from __future__ import annotations

import time

from demo_service.faults.fault import RequestFault


class BlockedLoop(RequestFault):
    """Sleeps as a synchronous driver or a long computation would, on the loop's own thread."""

    name = "blocked_loop"
    summary = "Some product listings block the event loop."
    probability = 0.1
    seconds = 0.25

    async def strike(self) -> None:
        """Hold the loop."""
        render_price_list(self.seconds)


def render_price_list(seconds: float) -> None:
    """Hold the calling thread for `seconds`: the line that a culprit report has to name."""
    time.sleep(seconds)
