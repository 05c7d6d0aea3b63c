"""Runs the service under test, and keeps it busy."""

from __future__ import annotations

import asyncio
import os
import random
import subprocess
import sys
import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx

from benchmarks.blocking.kinds import SLOW_SERVER


@dataclass
class Service:
    """A running service."""

    process: subprocess.Popen[str]
    address: str

    def told(self) -> dict[str, Any]:
        """What it says of itself."""
        answer: dict[str, Any] = httpx.get(f"{self.address}/told", timeout=60).json()
        return answer


@contextmanager
def running(loop: str, **environ: str) -> Iterator[Service]:
    """Run the service on `loop`, until the block is left."""
    with _slow_server() as slow:
        process = subprocess.Popen(  # noqa: S603 - our own interpreter
            [sys.executable, "-m", "benchmarks.blocking.app", loop],
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, SLOW_SERVER: slow, "OTEL_TRACES_EXPORTER": "none", **environ},
        )
        # Other programs of this machine are not part of the question.
        with suppress(PermissionError):
            os.setpriority(os.PRIO_PROCESS, process.pid, -15)
        try:
            address = (process.stdout or sys.stdin).readline().strip()
            if not address:
                raise RuntimeError("the service under test did not start")
            yield Service(process, address)
        finally:
            process.terminate()
            process.wait()
            if process.stdout:
                process.stdout.close()


@asynccontextmanager
async def load(service: Service, rate: float, seconds: float = 0.001) -> AsyncIterator[None]:
    """Send requests at random moments, `rate` a second, each of `seconds` of work."""
    limits = httpx.Limits(max_connections=20)
    async with httpx.AsyncClient(limits=limits, timeout=60) as client, asyncio.TaskGroup() as group:

        async def one() -> None:
            # What becomes of one request is not the question; the next one comes.
            with suppress(httpx.TransportError):
                await client.get(f"{service.address}/light", params={"seconds": seconds})

        async def all_of_them() -> None:
            at = time.perf_counter()
            while True:
                at += random.expovariate(rate)
                await asyncio.sleep(max(0.0, at - time.perf_counter()))
                group.create_task(one())

        sending = group.create_task(all_of_them())
        try:
            yield
        finally:
            sending.cancel()
            with suppress(asyncio.CancelledError):
                await sending


class _Slow(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        """Answer after the seconds in the query."""
        time.sleep(float(self.path.partition("?")[2]))
        self.send_response(200)
        self.send_header("content-length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, *args: object) -> None:
        """Say nothing."""


@contextmanager
def _slow_server() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Slow)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
