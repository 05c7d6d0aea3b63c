"""Free ports for a stack beside another one."""

from __future__ import annotations

import random
import socket
from typing import TYPE_CHECKING, Final

from drill.errors import DrillError

if TYPE_CHECKING:
    from collections.abc import Iterable

# Below the ports that a system gives to outgoing connections: one of those could take a port
# between the choice and its use.
RANGE: Final = range(20_000, 32_000)
_CHANCE = random.SystemRandom()


def free_ports(names: Iterable[str]) -> dict[str, str]:
    """Choose a port that nobody listens on for each name, each another one."""
    wanted = sorted(names)
    candidates = (port for port in _CHANCE.sample(RANGE, len(RANGE)) if _is_free(port))
    ports = dict(zip(wanted, map(str, candidates), strict=False))
    if len(ports) < len(wanted):
        raise DrillError(
            f"There are no {len(wanted)} free ports among those from {RANGE[0]} to {RANGE[-1]}."
        )
    return ports


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
