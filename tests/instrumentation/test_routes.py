"""The route label is a template, never a path that a client made up."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from fastapi import APIRouter, FastAPI
from fastapi.routing import APIRoute
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Host, Match, Mount, Route, Router
from starlette.staticfiles import StaticFiles
from starlette.testclient import TestClient
from starlette.types import ASGIApp, Receive, Scope, Send

from tests.instrumentation.conftest import Observed


async def ok(request: Request) -> Response:
    return PlainTextResponse("ok")


async def endpoint(name: str = "") -> str:
    return "ok"


def sub_application() -> FastAPI:
    app = FastAPI()
    app.get("/hello/{name}")(endpoint)
    return app


@pytest.fixture
def app(tmp_path: Any) -> FastAPI:
    (tmp_path / "style.css").write_text("")
    inner = APIRouter(prefix="/orders")
    inner.get("/{name}")(endpoint)
    inner.add_route("/plain/{name}", ok)
    inner.mount("/inner/{tenant}", sub_application())
    outer = APIRouter(prefix="/v1")
    outer.include_router(inner)
    app = FastAPI()
    app.include_router(outer, prefix="/api")
    app.get("/direct/{name}")(endpoint)
    app.add_route("/twice/a", ok)
    app.add_route("/twice/{name}", ok)
    app.mount("/sub/{tenant}", sub_application())
    app.mount("/static", StaticFiles(directory=tmp_path))
    app.mount("/plain", Starlette(routes=[Route("/x/{y}", ok), Mount("/deep", Router([]))]))
    app.router.routes.append(Host("other.test", Router([Route("/host/{name}", ok)])))
    return app


@pytest.mark.proves("Requests: route", "prefixes of included routers, nested ones too")
@pytest.mark.proves("Requests: route", "mounts and sub-applications")
@pytest.mark.proves("Requests: route", "a mount's parameters by their names, never their values")
@pytest.mark.proves("Requests: route", "static files")
@pytest.mark.proves("Requests: route", "a path that no route took is unmatched")
@pytest.mark.proves("Requests: route", "FastAPI 0.165")
@pytest.mark.parametrize(
    ("path", "route"),
    [
        ("/direct/bob", "/direct/{name}"),
        ("/api/v1/orders/7", "/api/v1/orders/{name}"),
        ("/sub/acme/hello/bob", "/sub/{tenant}/hello/{name}"),
        ("/sub/acme/missing", "/sub/{tenant}/{path}"),
        ("/static/style.css", "/static/{path}"),
        ("/static/missing.css", "/static/{path}"),
        ("/plain/x/1", "/plain/x/{y}"),
        ("/plain/deep/1", "/plain/deep/{path}"),
        ("/twice/a", "/twice/a"),
        ("/twice/b", "/twice/{name}"),
        ("/docs", "/docs"),
        ("/openapi.json", "/openapi.json"),
        ("/made/up", "unmatched"),
        ("/direct/bob/", "unmatched"),
    ],
)
def test_the_route_is_the_full_template(
    app: FastAPI, observed: Observed, path: str, route: str
) -> None:
    observed.instrument(app)
    TestClient(app).get(path, follow_redirects=False)
    assert [label for _, label, _, _ in observed.counts()] == [route]
    name = "GET" if route == "unmatched" else f"GET {route}"
    assert observed.span().name == name
    assert (observed.span().attributes or {}).get("http.route", "unmatched") == route


@pytest.mark.proves("Requests: route", "prefixes of included routers, nested ones too")
@pytest.mark.parametrize(
    ("path", "route"),
    [
        ("/api/v1/plain/7", "/api/v1/plain/{name}"),
        ("/api/v1/inner/acme/hello/bob", "/api/v1/inner/{tenant}/hello/{name}"),
    ],
)
def test_what_an_included_router_holds_beside_fastapis_routes(
    app: FastAPI, observed: Observed, path: str, route: str
) -> None:
    observed.instrument(app)
    assert TestClient(app).get(path).status_code == 200
    assert [label for _, label, _, _ in observed.counts()] == [route]


@pytest.mark.proves("Requests: route", "host routes")
def test_a_host_route_has_its_path(app: FastAPI, observed: Observed) -> None:
    observed.instrument(app)
    TestClient(app, base_url="http://other.test").get("/host/bob")
    assert [label for _, label, _, _ in observed.counts()] == ["/host/{name}"]


@pytest.mark.proves("Requests: route", "a method that no route allows (405)")
@pytest.mark.parametrize(
    ("path", "route"),
    [
        ("/direct/bob", "/direct/{name}"),
        ("/api/v1/orders/7", "/api/v1/orders/{name}"),
        ("/sub/acme/hello/bob", "/sub/{tenant}/hello/{name}"),
        ("/plain/x/1", "/plain/x/{y}"),
    ],
)
def test_a_wrong_method_keeps_the_route(
    app: FastAPI, observed: Observed, path: str, route: str
) -> None:
    observed.instrument(app)
    TestClient(app).post(path)
    assert list(observed.counts()) == [("POST", route, "405", "")]


def test_an_unknown_method_is_other(app: FastAPI, observed: Observed) -> None:
    observed.instrument(app)
    TestClient(app).request("BREW", "/direct/bob")
    assert list(observed.counts()) == [("_OTHER", "/direct/{name}", "405", "")]
    assert observed.span().name == "HTTP /direct/{name}"
    assert (observed.span().attributes or {})["http.request.method_original"] == "BREW"


@pytest.mark.proves("Requests: route", "a middleware that copies the scope")
def test_a_middleware_that_copies_the_scope_hides_nothing(app: FastAPI, observed: Observed) -> None:
    class Copies:
        def __init__(self, app: ASGIApp) -> None:
            self.app = app

        async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
            await self.app(dict(scope), receive, send)

    app.add_middleware(Copies)
    observed.instrument(app)
    TestClient(app).get("/sub/acme/hello/bob")
    assert [label for _, label, _, _ in observed.counts()] == ["/sub/{tenant}/hello/{name}"]


@pytest.mark.proves("Requests: route", "plain Starlette")
def test_plain_starlette_has_routes_too(observed: Observed) -> None:
    app = Starlette(routes=[Route("/x/{y}", ok)])
    observed.instrument(app)
    TestClient(app).get("/x/1")
    assert list(observed.counts()) == [("GET", "/x/{y}", "200", "")]


def test_what_is_mounted_in_the_lifespan_has_its_route(observed: Observed) -> None:
    mounted = FastAPI()
    mounted.get("/x")(lambda: None)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        app.mount("/sub", mounted)
        app.add_route("/plain/{name}", lambda request: Response())
        yield

    app = FastAPI(lifespan=lifespan)
    observed.instrument(app)
    with TestClient(app) as client:
        client.get("/sub/x")
        client.get("/plain/1")
    assert observed.counts() == {
        ("GET", "/sub/x", "200", ""): 1,
        ("GET", "/plain/{name}", "200", ""): 1,
    }


@pytest.mark.parametrize("path", ["/a", "/b/inner", "/c"])
def test_an_endpoint_in_several_places_has_the_route_of_each(observed: Observed, path: str) -> None:
    shared = Starlette(routes=[Route("/{third}", ok)])
    app = FastAPI()
    app.add_route("/a/{first}", ok)
    app.mount("/b", Starlette(routes=[Mount("/inner", routes=[Route("/{second}", ok)])]))
    app.mount("/c", shared)
    app.mount("/d", shared)
    observed.instrument(app)
    TestClient(app).get(f"{path}/1")
    name = {"/a": "first", "/b/inner": "second", "/c": "third"}[path]
    assert observed.counts() == {("GET", f"{path}/{{{name}}}", "200", ""): 1}


@pytest.mark.parametrize("path", ["/c", "/d/{tenant}"])
def test_an_application_that_is_mounted_twice_has_both_prefixes(
    observed: Observed, path: str
) -> None:
    shared, app = sub_application(), FastAPI()
    shared.add_route("/plain/{name}", ok)
    app.add_route("/plain/{other}", ok)
    app.mount("/c", shared)
    app.mount("/d/{tenant}", shared)
    observed.instrument(app)
    TestClient(app).get(f"{path.format(tenant='acme')}/hello/bob")
    TestClient(app).get(f"{path.format(tenant='acme')}/plain/bob")
    assert observed.counts() == {
        ("GET", f"{path}/hello/{{name}}", "200", ""): 1,
        ("GET", f"{path}/plain/{{name}}", "200", ""): 1,
    }


class Counting(APIRoute):
    """Counts how often it is compared with a request."""

    compared = 0

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        type(self).compared += 1
        return super().matches(scope)


@pytest.mark.proves("Requests: route", "routes are read after routing, never matched twice")
@pytest.mark.parametrize("path", ["/r7/1", "/sub/r7/1", "/in/r7/1", "/missing", "/r7/1/"])
def test_no_route_is_compared_because_of_us(observed: Observed, path: str) -> None:
    def compared(instrumented: bool) -> int:
        router = APIRouter(route_class=Counting)
        for number in range(10):
            router.get(f"/r{number}/{{name}}")(endpoint)
        app, mounted = FastAPI(), FastAPI()
        mounted.include_router(router)
        app.include_router(router)
        app.include_router(router, prefix="/in")
        app.mount("/sub", mounted)
        if instrumented:
            observed.instrument(app)
        client = TestClient(app)
        client.get(path)
        Counting.compared = 0
        client.get(path)
        return Counting.compared

    before = compared(False)
    # FastAPI's own telemetry compares once more for a redirect, where a test before has left a
    # global provider.
    assert compared(True) <= before
    assert sum(observed.counts().values()) >= 2
