"""The switch for faults, for an operator on the same machine."""

import ipaddress
from collections.abc import Sequence

from fastapi import APIRouter, Depends, Request

from demo_service.faults.fault import Change, Fault, State
from demo_service.problems import Problem

_PROXY_HEADERS = ("forwarded", "x-forwarded-for", "x-real-ip", "via")


async def require_loopback(request: Request) -> None:
    """Refuse every client that is not on this machine.

    Asynchronous, so that the switch needs none of the threads that a fault may have taken.

    The socket's peer decides. A header could claim anything, so none is trusted; but one that a
    proxy adds shows that the peer is not the client.
    """
    host = request.client.host if request.client else ""
    try:
        local = ipaddress.ip_address(host).is_loopback
    except ValueError:
        local = False
    if not local or any(header in request.headers for header in _PROXY_HEADERS):
        raise Problem(403, "Faults are switched from this machine only.")


def admin_router(faults: Sequence[Fault]) -> APIRouter:
    """Return the routes that show and switch `faults`."""
    by_name = {fault.name: fault for fault in faults}
    router = APIRouter(
        prefix="/admin/faults",
        tags=["admin"],
        dependencies=[Depends(require_loopback)],
        include_in_schema=False,
    )

    @router.get("")
    async def list_faults() -> list[State]:
        return [fault.state() for fault in faults]

    @router.put("/{name}")
    async def switch_fault(name: str, change: Change) -> State:
        if name not in by_name:
            raise Problem(404, f"There is no fault {name!r}.", faults=sorted(by_name))
        await by_name[name].switch(change)
        return by_name[name].state()

    return router
