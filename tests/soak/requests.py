"""`python -m tests.soak.requests COUNT` sends requests of chance, and prints what has grown.

Paths, methods, queries and headers are drawn anew for every request, well-formed or not. The
application is called as a server calls it, in this process alone, with everything on and spans
sent to `OTEL_EXPORTER_OTLP_ENDPOINT`; a network between would only make it slower. One line of
JSON for each tenth of the requests: series, resident bytes, live objects.
"""

from __future__ import annotations

import asyncio
import gc
import json
import random
import sys
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import psutil
from fastapi import FastAPI, HTTPException
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from instrumentation import instrument

METHODS = ("GET", "GET", "GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS", "PATCH")
SCHEMES = ("http", "https")
KNOWN = ("/items/", "/items", "/broken/", "/of/", "/of/a/x/", "/", "/thread/")
LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789%é/._-~"
HEADERS = (b"host", b"user-agent", b"traceparent", b"tracestate", b"baggage", b"accept", b"cookie",
           b"x-forwarded-for", b"authorization", b"content-type")  # fmt: skip
TENTHS = 10


def application() -> FastAPI:
    app = FastAPI()

    @app.get("/items/{item}")
    async def item(item: str) -> str:
        return item

    @app.post("/items")
    async def create() -> None:
        raise HTTPException(409)

    @app.get("/broken/{item}")
    async def broken(item: str) -> None:
        raise RuntimeError(item)

    @app.get("/thread/{item}")
    def thread(item: str) -> str:
        return item

    async def inside(request: Any) -> PlainTextResponse:
        return PlainTextResponse("inside")

    app.mount("/of/{tenant}", Starlette(routes=[Route("/x/{item}", inside)]))
    return app


class Chance:
    """Draws requests."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)

    def word(self, longest: int = 12) -> str:
        return "".join(self._random.choices(LETTERS, k=self._random.randint(1, longest)))

    def path(self) -> str:
        word = self.word()
        first = self._random.choices(KNOWN, (30, 5, 3, 10, 10, 40, 1))[0]
        return first + word if first.endswith("/") else first

    def header(self, name: bytes) -> tuple[bytes, bytes]:
        if name == b"traceparent" and self._random.random() < 0.7:
            trace, span = self._random.getrandbits(128), self._random.getrandbits(64)
            return name, f"00-{trace:032x}-{span:016x}-0{self._random.randint(0, 3)}".encode()
        return name, self.word(40).encode()

    def scope(self) -> dict[str, Any]:
        made_up = self._random.random() < 0.05
        method = self.word(8).upper() if made_up else self._random.choice(METHODS)
        return self.of(method, self.path(), self._random.choice(SCHEMES))

    def every(self) -> Iterator[dict[str, Any]]:
        """A request for each set of labels that there can be."""
        words = ("a", "a/b", "a/", "/", "x/a", "x/a/")
        paths = {known + word for known in KNOWN for word in words} | set(KNOWN)
        for method in (*METHODS, "PURGE"):
            for path in paths:
                for scheme in SCHEMES:
                    yield self.of(method, path, scheme)

    def of(self, method: str, path: str, scheme: str) -> dict[str, Any]:
        return {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.4"},
            "http_version": self._random.choice(("1.0", "1.1", "2")),
            "method": method,
            "scheme": scheme,
            "path": path,
            "raw_path": path.encode(),
            "query_string": self.word(30).encode(),
            "root_path": "",
            "headers": [self.header(name) for name in self._random.sample(HEADERS, 4)],
            "client": (f"10.0.{self._random.randint(0, 255)}.1", self._random.randint(1, 65535)),
            "server": ("127.0.0.1", 8000),
        }


async def receive() -> dict[str, Any]:
    return {"type": "http.request", "body": b"", "more_body": False}


async def send(message: Any) -> None:
    return None


async def ask(app: Callable[..., Awaitable[None]], scope: dict[str, Any]) -> None:
    try:
        await app(scope, receive, send)
    except RuntimeError:
        return  # the endpoint's own, which goes on to the server


async def main(count: int) -> None:
    app, chance = application(), Chance(seed=count)
    telemetry = instrument(app)
    process = psutil.Process()
    for scope in chance.every():
        await ask(app, scope)
    for _ in range(TENTHS):
        for _ in range(count // TENTHS):
            await ask(app, chance.scope())
        await asyncio.sleep(0.1)
        gc.collect()
        # What is told of the process itself has series that come with the first pause or block.
        families = telemetry.registry.collect()
        series = sum(len(one.samples) for one in families if one.name.startswith("http_"))
        objects, resident = len(gc.get_objects()), process.memory_info().rss
        line = json.dumps({"series": series, "resident": resident, "objects": objects})
        sys.stdout.write(f"{line}\n")
    telemetry.shutdown()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
