"""`python -m benchmarks.client PORT CONNECTIONS SECONDS RATE`: load of HTTP/1.1, at little CPU.

With a RATE of 0 every connection asks again as soon as it has its answer (a closed loop); with
another one, requests are due at fixed times, whatever the server does (an open one), and a request
is timed from the moment at which it was due.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections import deque
from typing import Any, Final

import uvloop

from benchmarks.variants import path

_WARM_UP: Final = 0.25
"""The share of the time before the part that counts."""

_REQUEST: Final = (
    f"GET {path()} HTTP/1.1\r\nhost: 127.0.0.1\r\nuser-agent: bench\r\naccept: */*\r\n\r\n"
).encode()
_TICK_SECONDS: Final = 0.001


class Load:
    """What was asked and answered.

    Args:
        closed: whether a connection asks again at once.
    """

    def __init__(self, closed: bool) -> None:
        self.closed = closed
        self.idle: deque[Connection] = deque()
        self.due: deque[float] = deque()
        self.seconds: list[float] = []
        self.failed = 0
        self.ended = False

    def answered(self, connection: Connection, began: float, good: bool) -> None:
        """A connection has its answer, and gets another request where one is due."""
        self.seconds.append(time.perf_counter() - began)
        self.failed += not good
        if self.ended:
            return
        if self.closed:
            connection.ask(time.perf_counter())
        elif self.due:
            connection.ask(self.due.popleft())
        else:
            self.idle.append(connection)

    def start_due(self) -> None:
        """Give what is due to whoever has nothing to do."""
        while self.due and self.idle:
            self.idle.popleft().ask(self.due.popleft())


class Connection(asyncio.Protocol):
    """One connection; the answers are small, and come in one piece or a few."""

    def __init__(self, load: Load) -> None:
        self._load = load
        self._buffer = b""
        self._began = 0.0

    def connection_made(self, transport: Any) -> None:
        """Be ready."""
        self._transport = transport
        self._load.idle.append(self)

    def ask(self, began: float) -> None:
        """Send a request that was due at `began`."""
        self._began = began
        self._transport.write(_REQUEST)

    def data_received(self, data: bytes) -> None:
        """Tell of an answer that is complete."""
        self._buffer += data
        head, found, body = self._buffer.partition(b"\r\n\r\n")
        if not found:
            return
        length = int(head.lower().partition(b"content-length: ")[2].split(b"\r\n", 1)[0])
        if len(body) >= length:
            self._buffer = b""
            self._load.answered(self, self._began, head.startswith(b"HTTP/1.1 200"))

    def connection_lost(self, exc: Exception | None) -> None:
        """A server that hangs up spoils the measurement."""
        self._load.failed += not self._load.ended


async def measure(port: int, connections: int, seconds: float, rate: float) -> dict[str, float]:
    """Requests a second, and the 99th percentile of how long they took."""
    load = Load(closed=not rate)
    loop = asyncio.get_running_loop()
    transports = []
    for _ in range(connections):
        made, _ = await loop.create_connection(lambda: Connection(load), "127.0.0.1", port)
        transports.append(made)
    while load.closed and load.idle:
        load.idle.popleft().ask(time.perf_counter())
    await _pass(load, seconds * _WARM_UP, rate)
    load.seconds.clear()
    began = time.perf_counter()
    await _pass(load, seconds, rate)
    took, answered = time.perf_counter() - began, sorted(load.seconds)
    load.ended = True
    for transport in transports:
        transport.close()
    await asyncio.sleep(_TICK_SECONDS)  # until they are closed
    return {
        "rate": len(answered) / took,
        "p99": answered[int(len(answered) * 0.99)] if answered else float("inf"),
        "failed": load.failed,
    }


async def _pass(load: Load, seconds: float, rate: float) -> None:
    if load.closed:
        await asyncio.sleep(seconds)
        return
    began = time.perf_counter()
    asked = 0
    while (now := time.perf_counter() - began) < seconds:
        while asked < now * rate:
            load.due.append(began + asked / rate)
            asked += 1
        load.start_due()
        await asyncio.sleep(_TICK_SECONDS)


def main() -> None:
    """Measure, and print the result as JSON."""
    port, connections = map(int, sys.argv[1:3])
    found = uvloop.run(measure(port, connections, float(sys.argv[3]), float(sys.argv[4])))
    sys.stdout.write(json.dumps(found))


if __name__ == "__main__":
    main()
