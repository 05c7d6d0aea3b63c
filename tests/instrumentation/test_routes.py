"""The route label is a template, never a path that a client made up."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from fastapi import APIRouter, FastAPI
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Host, Mount, Route, Router
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
        ("/api/v1/plain/7", "/api/v1/plain/{name}"),
        ("/api/v1/inner/acme/hello/bob", "/api/v1/inner/{tenant}/hello/{name}"),
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
    TestClient(app, follow_redirects=False).get(path)
    assert [label for _, label, _, _ in observed.counts()] == [route]
    name = "GET" if route == "unmatched" else f"GET {route}"
    assert observed.span().name == name
    assert (observed.span().attributes or {}).get("http.route", "unmatched") == route


@pytest.mark.proves("Requests: route", "host routes")
def test_a_host_route_has_its_path(app: FastAPI, observed: Observed) -> None:
    observed.instrument(app)
    TestClient(app, base_url="http://other.test").get("/host/bob")
    assert [label for _, label, _, _ in observed.counts()] == ["/host/{name}"]


@pytest.mark.proves("Requests: route", "a method that no route allows (405)")
def test_a_wrong_method_keeps_the_route(app: FastAPI, observed: Observed) -> None:
    observed.instrument(app)
    TestClient(app).post("/direct/bob")
    assert list(observed.counts()) == [("POST", "/direct/{name}", "405", "")]


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


@pytest.mark.proves("Requests: route", "root_path behind a proxy")
def test_the_application_root_belongs_to_the_route(observed: Observed) -> None:
    app = FastAPI()
    app.get("/direct/{name}")(endpoint)
    observed.instrument(app)
    TestClient(app, root_path="/behind/a/proxy").get("/direct/bob")
    assert [label for _, label, _, _ in observed.counts()] == ["/behind/a/proxy/direct/{name}"]


@pytest.mark.proves(
    "Requests: route", "parent and child both instrumented: counted once, with the full template"
)
def test_of_parent_and_child_the_outer_one_counts_once(observed: Observed) -> None:
    child, parent, inner = sub_application(), FastAPI(), Observed()
    parent.mount("/sub/{tenant}", child)
    with inner.stack:
        inner.instrument(child)
        observed.instrument(parent)
        TestClient(parent).get("/sub/acme/hello/bob")
    assert list(observed.counts()) == [("GET", "/sub/{tenant}/hello/{name}", "200", "")]
    assert inner.counts() == {}


def test_a_child_alone_names_the_parameters_of_its_mount(observed: Observed) -> None:
    child, parent = sub_application(), FastAPI()
    parent.mount("/sub/{tenant}", child)
    observed.instrument(child)
    TestClient(parent).get("/sub/acme/hello/bob")
    assert list(observed.counts()) == [("GET", "/sub/{tenant}/hello/{name}", "200", "")]


@pytest.mark.proves("Requests: route", "plain Starlette")
def test_plain_starlette_has_routes_too(observed: Observed) -> None:
    app = Starlette(routes=[Route("/x/{y}", ok)])
    observed.instrument(app)
    TestClient(app).get("/x/1")
    assert list(observed.counts()) == [("GET", "/x/{y}", "200", "")]


@pytest.mark.proves("Requests: route", "a mount's parameters by their names, never their values")
@pytest.mark.parametrize(
    ("path", "route"),
    [
        ("/api/a/x", "/api/{tenant}/x"),
        ("/number/007/x", "/{mount}/x"),
    ],
)
def test_a_mounts_value_never_shows_in_a_childs_route(
    observed: Observed, path: str, route: str
) -> None:
    child = FastAPI()
    child.get("/x")(lambda: None)
    parent = Starlette(
        routes=[Mount("/api/{tenant}", app=child), Mount("/number/{number:int}", app=child)]
    )
    observed.instrument(child)
    TestClient(parent).get(path)
    assert observed.counts() == {("GET", route, "200", ""): 1}


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
