"""The shapes of requests, and what each one's telemetry has to be: written down by hand."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

JSON = b'{"name": "a thing", "price": 1.5}'


@dataclass(frozen=True)
class Shape:
    """One kind of request.

    Attributes:
        path: makes a path (with its query) from a random number.
        status: what the client gets, and the metrics say.
        route: the label; None is `unmatched`.
        error: the label `error_type`.
        statements: how many SQL statements it sends.
        calls: whether it calls the leaf, which is a request of its own.
        leaves: the client leaves in the middle of the response.
        cut: the server breaks the response off.
    """

    name: str
    method: str
    path: Callable[[int], str]
    status: int
    route: str | None
    error: str = ""
    body: bytes = b""
    statements: int = 0
    calls: bool = False
    leaves: bool = False
    cut: bool = False

    @property
    def label(self) -> str:
        return self.route or "unmatched"

    @property
    def known_method(self) -> str:
        return "_OTHER" if self.method == "PROPFIND" else self.method

    @property
    def span_name(self) -> str:
        method = "HTTP" if self.method == "PROPFIND" else self.method
        return f"{method} {self.route}" if self.route else method


def fixed(path: str) -> Callable[[int], str]:
    return lambda number: path


def numbered(path: str) -> Callable[[int], str]:
    return path.format


SHAPES = (
    Shape("a path parameter", "GET", numbered("/items/{}"), 200, "/items/{item}"),
    Shape("a query", "GET", numbered("/items/a?token=secret{}"), 200, "/items/{item}"),
    Shape("letters beyond ASCII", "GET", numbered("/items/%C3%A9{}"), 200, "/items/{item}"),
    Shape("HEAD", "HEAD", numbered("/items/{}"), 200, "/items/{item}"),
    Shape("a body", "POST", fixed("/items"), 201, "/items", body=JSON),
    Shape("a wrong body", "POST", fixed("/items"), 422, "/items", body=b'{"name": 1}'),
    Shape("a wrong parameter", "GET", numbered("/sync/x{}"), 422, "/sync/{item}"),
    Shape("a thread", "GET", numbered("/sync/{}"), 200, "/sync/{item}"),
    Shape("HTTPException", "GET", numbered("/missing/{}"), 404, "/missing/{item}"),
    Shape("HTTPException 503", "GET", fixed("/unavailable"), 503, "/unavailable", "503"),
    Shape("a handled exception", "GET", fixed("/handled"), 418, "/handled"),
    Shape("an unhandled one", "GET", numbered("/broken/{}"), 500, "/broken/{item}", "RuntimeError"),
    Shape("a stream", "GET", lambda number: f"/stream/{number % 9}", 200, "/stream/{size}"),
    Shape("a client that leaves", "GET", fixed("/endless"), 200, "/endless", leaves=True),
    Shape("a broken stream", "GET", fixed("/breaks-off"), 200, "/breaks-off", "ValueError",
          cut=True),
    Shape("a file", "GET", fixed("/file"), 200, "/file"),
    Shape("background work", "GET", fixed("/background"), 200, "/background"),
    Shape("three statements", "GET", fixed("/rows/3"), 200, "/rows/{count}", statements=3),
    Shape("an outbound call", "GET", fixed("/calls"), 200, "/calls", calls=True),
    Shape("nested prefixes", "PUT", numbered("/v1/nested/{}/things"), 200,
          "/v1/nested/{tenant}/things"),
    Shape("another method", "DELETE", numbered("/v1/nested/{}/things"), 200,
          "/v1/nested/{tenant}/things"),
    Shape("a mount", "GET", numbered("/sub/inside/{}"), 200, "/sub/inside/{item}"),
    Shape("a mount's parameter", "GET", numbered("/of/t{}/inside/1"), 200,
          "/of/{tenant}/inside/{item}"),
    Shape("a miss under a mount", "GET", numbered("/sub/nothing/{}"), 404, "/sub/{path}"),
    Shape("a static file", "GET", fixed("/static/page.txt"), 200, "/static/{path}"),
    Shape("no such file", "GET", numbered("/static/{}.txt"), 404, "/static/{path}"),
    Shape("no route", "GET", numbered("/nowhere/{}"), 404, None),
    Shape("no such method", "PATCH", fixed("/items"), 405, "/items"),
    Shape("a method of other protocols", "PROPFIND", fixed("/items"), 405, "/items"),
    Shape("a slash too many", "GET", numbered("/items/{}/"), 307, None),
    Shape("the schema", "GET", fixed("/openapi.json"), 200, "/openapi.json"),
)  # fmt: skip

LEAF = Shape("the leaf of a call", "GET", fixed("/leaf"), 200, "/leaf")


def mixed(count: int, seed: int, *, calls: bool = True) -> list[Shape]:
    """`count` shapes in random order, each as often as the others.

    Without `calls` none sends a request of its own to the same service: a worker that leaves
    closes its connections, and what the caller makes of that is no shape that is known before.
    """
    shapes = [shape for shape in SHAPES if calls or not shape.calls]
    found = [shapes[number % len(shapes)] for number in range(count)]
    random.Random(seed).shuffle(found)
    return found
