"""A client that keeps its own record: plain HTTP/1.1 on a socket, a connection a request.

A client library would be observed itself where a test before has left it so, retries in silence,
and can't leave in the middle of a response.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import websockets

from tests.truth.shapes import Shape

CONCURRENT = 40
PATIENCE_SECONDS = 180
BROKEN_OFF = "OSError"
"""Of an answer from a file that somebody closed.

gunicorn's uvicorn worker closes its listening socket twice as it leaves. A file that a thread opens
in between gets the same descriptor, and can't be read after the second time.
"""


@dataclass
class Sent:
    """One request as the client knows it.

    Attributes:
        number: its user agent is `truth/<number>`.
        trace: the trace and span that it said to come from, or None.
        sampled: whether it said that this trace is sampled.
        status: what came back; 0 for a connection that was closed without an answer.
        broken: whether the body breaks off before its end, as its length or last chunk says.
    """

    number: int
    shape: Shape
    trace: tuple[str, str] | None
    sampled: bool
    status: int = 0
    broken: bool = False

    @property
    def agent(self) -> str:
        return f"truth/{self.number}"

    @property
    def error(self) -> str:
        """The label `error_type`."""
        return BROKEN_OFF if self.broken and not self.shape.cut else self.shape.error

    def head(self, host: str) -> bytes:
        lines = [
            f"{self.shape.method} {self.shape.path(self.number)} HTTP/1.1",
            f"host: {host}",
            f"user-agent: {self.agent}",
            "connection: close",
        ]
        if self.shape.body:
            lines += ["content-type: application/json", f"content-length: {len(self.shape.body)}"]
        if self.trace is not None:
            lines.append(f"traceparent: 00-{'-'.join(self.trace)}-0{int(self.sampled)}")
        return "\r\n".join([*lines, "", ""]).encode()


@dataclass
class Client:
    """Sends the requests, a few at a time, and remembers each."""

    address: str
    seed: int
    sent: list[Sent] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)
        self._few = asyncio.Semaphore(CONCURRENT)
        self._host = urlsplit(self.address).netloc

    async def send(self, shapes: list[Shape]) -> None:
        """Send one request a shape; one that gets no answer is sent again as another one."""
        while shapes:
            made = [self._make(shape) for shape in shapes]
            await asyncio.gather(*map(self._one, made))
            shapes = [one.shape for one in made if not one.status]

    def _make(self, shape: Shape) -> Sent:
        trace = None
        if self._random.random() < 0.7:
            trace = (f"{self._random.getrandbits(128) | 1:032x}",
                     f"{self._random.getrandbits(64) | 1:016x}")  # fmt: skip
        sampled = trace is None or self._random.random() < 0.9
        self.sent.append(Sent(len(self.sent), shape, trace, sampled))
        return self.sent[-1]

    async def _one(self, request: Sent) -> None:
        async with self._few:
            with contextlib.suppress(ConnectionError):
                async with asyncio.timeout(PATIENCE_SECONDS):
                    await self._ask(request)

    async def _ask(self, request: Sent) -> None:
        host, _, port = self._host.partition(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        try:
            writer.write(request.head(self._host) + request.shape.body)
            await writer.drain()
            first = await reader.readline()
            if not first:
                return
            request.status = int(first.split()[1])
            if not request.shape.leaves:
                request.broken = not _is_whole(request.shape.method, await reader.read())
            else:
                await reader.readuntil(b"xxxxxxxxxx")
        finally:
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()


def _is_whole(method: str, answer: bytes) -> bool:
    """Whether an answer, without its first line, ends where its head says."""
    head, _, body = answer.partition(b"\r\n\r\n")
    fields = {
        name.lower(): value.strip()
        for name, _, value in (line.partition(b":") for line in head.split(b"\r\n"))
    }
    if method == "HEAD":
        return not body
    if fields.get(b"transfer-encoding") == b"chunked":
        return body.endswith(b"0\r\n\r\n")
    return len(body) == int(fields[b"content-length"])


async def converse(address: str, connections: int, messages: int) -> None:
    """Open WebSockets, send messages on each, and close it in the proper way."""
    ws = address.replace("http", "ws", 1)

    async def one(number: int) -> None:
        async with websockets.connect(
            f"{ws}/echo/{number}", proxy=None, open_timeout=PATIENCE_SECONDS
        ) as socket:
            for _ in range(messages):
                await socket.send("hello")
                assert await socket.recv() == "hello"

    for start in range(0, connections, CONCURRENT):
        await asyncio.gather(*map(one, range(start, min(start + CONCURRENT, connections))))
