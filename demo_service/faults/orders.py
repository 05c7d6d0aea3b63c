"""The faults of the orders service, and which routes each of them strikes."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from fastapi import Depends

from demo_service.dependencies import Resources
from demo_service.faults.blocked_loop import BlockedLoop
from demo_service.faults.errors import Errors
from demo_service.faults.exhausted_pool import ExhaustedPool
from demo_service.faults.exhausted_threads import ExhaustedThreads
from demo_service.faults.fault import Fault, RequestFault
from demo_service.faults.slow_dependency import SlowDependency
from demo_service.faults.slow_tail import SlowTail


@dataclass(frozen=True, slots=True)
class OrdersFaults:
    """All faults, and by a router's prefix those that run before its endpoints."""

    every: tuple[Fault, ...]
    by_prefix: dict[str, tuple[RequestFault, ...]]

    def before(self, prefix: str) -> list[Any]:
        """Return the dependencies that bring the faults into the router at `prefix`."""
        return [Depends(fault) for fault in self.by_prefix[prefix]]


def orders_faults(resources: Callable[[], Resources]) -> OrdersFaults:
    """Return the faults, all off; `resources` is called when one of them is switched."""
    tail, errors, blocked = SlowTail(), Errors(), BlockedLoop()
    payments = SlowDependency(lambda: resources().client)
    pool, threads = ExhaustedPool(resources), ExhaustedThreads()
    return OrdersFaults(
        every=(tail, errors, blocked, payments, pool, threads),
        by_prefix={
            "/users": (tail,),
            "/products": (tail, errors, blocked),
            "/orders": (tail, errors),
            "/webhooks": (tail,),
        },
    )
