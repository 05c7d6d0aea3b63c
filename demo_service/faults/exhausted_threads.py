"""Every thread for synchronous code is taken."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING

from anyio import to_thread

from demo_service.faults.fault import Fault

if TYPE_CHECKING:
    from demo_service.faults.fault import Change


class ExhaustedThreads(Fault):
    """Keeps all of anyio's threads in calls that hang, as a driver without a time-out does.

    Requests, whose synchronous dependencies need a thread for a moment, queue behind them. The
    event loop turns freely, and nothing uses the CPU.
    """

    name = "exhausted_threads"
    summary = "All threads for synchronous code hang; requests wait for one."
    seconds = 2.0

    def __init__(self) -> None:
        super().__init__()
        self._over = threading.Event()
        self._hanging: list[asyncio.Task[None]] = []

    async def switch(self, change: Change) -> None:
        """Take all threads, or give them back."""
        await super().switch(change)
        if not self.enabled:
            await self.close()
        elif not self._hanging:
            self._over = threading.Event()
            threads = int(to_thread.current_default_thread_limiter().total_tokens)
            self._hanging = [asyncio.create_task(self._hang()) for _ in range(threads)]

    async def close(self) -> None:
        """Give the threads back."""
        self._over.set()
        hanging, self._hanging = self._hanging, []
        await asyncio.gather(*hanging)

    async def _hang(self) -> None:
        over = self._over
        while not over.is_set():
            await to_thread.run_sync(ask_warehouse, over, self.seconds)


def ask_warehouse(over: threading.Event, seconds: float) -> None:
    """Hold the calling thread for `seconds`, as long as it isn't `over`."""
    over.wait(seconds)
