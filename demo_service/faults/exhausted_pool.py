"""Every database connection is taken."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

from demo_service.faults.fault import Change, Fault

if TYPE_CHECKING:
    from collections.abc import Callable

    from demo_service.dependencies import Resources


class ExhaustedPool(Fault):
    """Takes the pool's connections and keeps them, as code that forgets to close them does.

    Requests then wait for the pool's time-out and fail with a 503.
    """

    name = "exhausted_pool"
    summary = "All database connections are taken; requests wait and time out."

    def __init__(self, resources: Callable[[], Resources]) -> None:
        super().__init__()
        self._resources = resources
        self._held = AsyncExitStack()
        self._switching = asyncio.Lock()

    async def switch(self, change: Change) -> None:
        """Take all connections, or give them back."""
        async with self._switching:
            if change.enabled and not self.enabled:
                await self._take_all()
            elif not change.enabled:
                await self._held.aclose()
            await super().switch(change)

    async def close(self) -> None:
        """Give the connections back."""
        await self._held.aclose()

    async def _take_all(self) -> None:
        resources = self._resources()
        capacity = resources.settings.pool_size + resources.settings.pool_overflow
        async with AsyncExitStack() as taken:
            for _ in range(capacity):
                await taken.enter_async_context(resources.engine.connect())
            self._held = taken.pop_all()
