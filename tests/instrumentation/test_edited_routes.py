"""An application may change its routes while it serves: the label is the route that was taken."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from fastapi import FastAPI
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Match, Mount, Route
from starlette.testclient import TestClient
from starlette.types import Scope

from tests.instrumentation.conftest import Observed


def route(path: str) -> Route:
    async def endpoint(request: Request) -> Response:
        return PlainTextResponse("ok")

    return Route(path, endpoint)


def add(routes: list[Any]) -> list[Any]:
    return [*routes, route("/new/{name}")]


def replace(routes: list[Any]) -> list[Any]:
    return [route("/new/{name}") if one.path == "/old/{name}" else one for one in routes]


def replace_in_place(routes: list[Any]) -> list[Any]:
    routes[:] = replace(routes)
    return routes


def mount(routes: list[Any]) -> list[Any]:
    mounted = Mount("/new", Starlette(routes=[route("/{name}")]))
    return [mounted if one.path == "/old/{name}" else one for one in routes]


@pytest.mark.parametrize("edit", [add, replace, replace_in_place, mount])
@pytest.mark.parametrize("kind", [FastAPI, Starlette])
def test_a_route_that_comes_while_the_application_serves(
    observed: Observed, kind: Callable[[], Starlette], edit: Callable[[list[Any]], list[Any]]
) -> None:
    app = kind()
    app.router.routes.append(route("/old/{name}"))
    observed.instrument(app)
    client = TestClient(app)
    client.get("/old/7")
    app.router.routes = edit(app.router.routes)
    client.get("/new/7")
    client.get("/new/8")
    assert observed.counts() == {
        ("GET", "/old/{name}", "200", ""): 1,
        ("GET", "/new/{name}", "200", ""): 2,
    }


def test_endpoints_without_a_route_are_looked_for_only_so_often(observed: Observed) -> None:
    endpoints: list[object] = []
    reads = 0

    class Passing(Route):
        """Names an endpoint of its own for each request."""

        def matches(self, scope: Scope) -> tuple[Match, Scope]:
            match, found = super().matches(scope)
            endpoints.append(object())
            return match, {**found, "endpoint": endpoints[-1]}

    class Counting(list[Any]):
        """Counts how often it is read, by the router itself too."""

        def __iter__(self) -> Iterator[Any]:
            nonlocal reads
            reads += 1
            return super().__iter__()

    app = FastAPI()
    app.router.routes = Counting([Passing("/{name}", route("/").endpoint)])
    observed.instrument(app)
    client = TestClient(app)
    for _ in range(200):
        client.get("/7")
    ours = reads - 200
    assert 100 <= ours <= 110
