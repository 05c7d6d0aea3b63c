"""What stands in front of an application's own routes: a proxy's prefix, a parent's mount."""

from __future__ import annotations

import pytest
from fastapi import FastAPI
from starlette.applications import Starlette
from starlette.routing import Mount
from starlette.testclient import TestClient

from tests.instrumentation.conftest import Observed
from tests.instrumentation.test_routes import endpoint, ok, sub_application


@pytest.mark.proves("Requests: route", "root_path behind a proxy")
def test_the_application_root_belongs_to_the_route(observed: Observed) -> None:
    app = FastAPI()
    app.get("/direct/{name}")(endpoint)
    observed.instrument(app)
    TestClient(app, root_path="/behind/a/proxy").get("/direct/bob")
    assert [label for _, label, _, _ in observed.counts()] == ["/behind/a/proxy/direct/{name}"]


@pytest.mark.proves("Requests: route", "root_path behind a proxy")
@pytest.mark.filterwarnings("ignore:The `root_path` parameter is deprecated")
@pytest.mark.parametrize("prefix", ["", "/api/v1"])
@pytest.mark.parametrize("by_server", [True, False])
@pytest.mark.parametrize(
    ("path", "route"),
    [
        ("/direct/bob", "/api/v1/direct/{name}"),
        ("/sub/acme/hello/bob", "/api/v1/sub/{tenant}/hello/{name}"),
        ("/sub/acme/missing", "/api/v1/sub/{tenant}/{path}"),
        ("/plain/bob", "/api/v1/plain/{name}"),
        ("/missing", "unmatched"),
    ],
)
def test_a_proxys_prefix_is_named_whether_it_is_stripped_or_not(
    observed: Observed, by_server: bool, prefix: str, path: str, route: str
) -> None:
    app = FastAPI(root_path="" if by_server else "/api/v1")
    app.get("/direct/{name}")(endpoint)
    app.add_route("/plain/{name}", ok)
    app.mount("/sub/{tenant}", sub_application())
    observed.instrument(app)
    client = TestClient(app, root_path="/api/v1" if by_server else "")
    found = client.get(prefix + path).status_code == 200
    (label,) = [label for _, label, _, _ in observed.counts()]
    # Of the two ways, a mount understands the one that was usual in its Starlette's time.
    assert label == route if found else label in ("unmatched", "/api/v1/sub/{tenant}/{path}")


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


def test_what_the_outer_one_excludes_the_inner_one_leaves_out(observed: Observed) -> None:
    child, parent, inner = sub_application(), FastAPI(), Observed()
    parent.mount("/sub/{tenant}", child)
    with inner.stack:
        inner.instrument(child)
        observed.instrument(parent, excluded_urls=("/hello/",))
        assert TestClient(parent).get("/sub/acme/hello/bob").status_code == 200
    assert inner.counts() == observed.counts() == {}
    assert inner.spans() == observed.spans() == []
