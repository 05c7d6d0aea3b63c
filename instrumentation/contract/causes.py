"""Questions about what slows a service down or makes it fail, as functions named after answers."""

from __future__ import annotations

from typing import Final

from instrumentation.contract import promql
from instrumentation.contract.metrics import ASYNCIO_EVENT_LOOP_CULPRIT_SECONDS

BLOCKED: Final = "EventLoopBlocked"
"""The cause whose culprit is known to the line."""

SUBJECTS: Final = (
    "http_route", "pool", "db_client_connection_pool_name", "server_address", "task", "queue",
)  # fmt: skip
"""Labels that tell which part of a service a cause is about."""

_RECENT_SECONDS: Final = 600


def worst_culprit(*matchers: str) -> str:
    """The line of code that held the event loop for longest, of the last minutes."""
    held = promql.rate(
        ASYNCIO_EVENT_LOOP_CULPRIT_SECONDS, _RECENT_SECONDS, ("http_route", "culprit"), matchers
    )
    return f"topk(1, {held} > 0)"
