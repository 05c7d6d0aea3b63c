"""`python -m benchmarks.requests VARIANT COUNT ROUTERS`: CPU of one request, in this process.

The application is called as a server calls it, without a server: what is left is its own work
and that of what observes it, in every thread of the process.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from typing import Any

import uvloop

from benchmarks.variants import build, path

WARM_UP = 0.2


def scope_of(target: str) -> dict[str, Any]:
    """What uvicorn makes of a request of curl."""
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "server": ("127.0.0.1", 8000),
        "client": ("127.0.0.1", 54321),
        "scheme": "http",
        "root_path": "",
        "headers": [
            (b"host", b"127.0.0.1:8000"),
            (b"user-agent", b"curl/8.5.0"),
            (b"accept", b"*/*"),
        ],
        "state": {},
        "method": "GET",
        "path": target,
        "raw_path": target.encode(),
        "query_string": b"",
    }


async def receive() -> dict[str, Any]:
    """A request without a body."""
    return {"type": "http.request", "body": b"", "more_body": False}


async def send(message: Any) -> None:
    """Take a part of the response."""


async def ask(app: Any, target: str, count: int) -> None:
    """Send `count` requests, one after another; the loop turns after each, as a server's does."""
    for _ in range(count):
        await app(scope_of(target), receive, send)
        await asyncio.sleep(0)


async def measure(variant: str, count: int, routers: int) -> float:
    """CPU seconds of one request, the export of its span included."""
    app, flush = build(variant, routers)
    target = path(routers)
    await ask(app, target, int(count * WARM_UP))
    await asyncio.to_thread(flush)
    began = time.process_time()
    await ask(app, target, count)
    await asyncio.to_thread(flush)
    return (time.process_time() - began) / count


def main() -> None:
    """Measure, and print the result as JSON."""
    variant, count, routers = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    seconds = uvloop.run(measure(variant, count, routers))
    sys.stdout.write(json.dumps({"seconds": seconds}))


if __name__ == "__main__":
    main()
