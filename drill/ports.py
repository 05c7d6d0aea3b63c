"""Free ports for a stack beside other ones."""

from __future__ import annotations

import atexit
import random
import socket
from typing import TYPE_CHECKING, Final

from drill.errors import DrillError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

# Below the ports that a system gives to outgoing connections: one of those could take a port
# between the choice and its use.
RANGE: Final = range(20_000, 32_000)
_BLOCK: Final = 50
_CHANCE = random.SystemRandom()

_claims: list[socket.socket] = []


def free_ports(names: Iterable[str]) -> dict[str, str]:
    """Choose a port that nobody listens on for each name, each another one.

    Ports are given out in blocks. A block belongs to the process that has bound its first port,
    until that process ends: two stacks that start at once would otherwise find the same port
    free.
    """
    wanted = sorted(names)
    ports = dict(zip(wanted, map(str, _claimed()), strict=False))
    if len(ports) < len(wanted):
        raise DrillError(
            f"There are no {len(wanted)} free ports among those from {RANGE[0]} to {RANGE[-1]}."
        )
    return ports


def _claimed() -> Iterator[int]:
    """Free ports of blocks that are this process's alone."""
    firsts = RANGE[::_BLOCK]
    for first in _CHANCE.sample(firsts, len(firsts)):
        claim = socket.socket()
        try:
            claim.bind(("127.0.0.1", first))
        except OSError:
            claim.close()
            continue
        _claims.append(claim)
        block = range(first + 1, min(first + _BLOCK, RANGE.stop))
        yield from filter(_is_free, block)


@atexit.register
def _release() -> None:
    for claim in _claims:
        claim.close()


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
