"""A frontend that FastAPI serves from a folder has one template for all its files."""

from __future__ import annotations

from pathlib import Path

import pytest
from fastapi import APIRouter, FastAPI
from starlette.testclient import TestClient

from tests.instrumentation.conftest import Observed


@pytest.fixture
def client(tmp_path: Path, observed: Observed) -> TestClient:
    (tmp_path / "index.html").write_text("")
    (tmp_path / "app.js").write_text("")
    app, mounted, router = FastAPI(), FastAPI(), APIRouter(prefix="/admin")
    app.get("/api/{name}")(lambda name: name)
    app.frontend("/", directory=tmp_path)
    router.frontend("/ui", directory=tmp_path)
    app.include_router(router)
    mounted.frontend("/", directory=tmp_path)
    app.mount("/of/{tenant}", mounted)
    observed.instrument(app)
    return TestClient(app)


@pytest.mark.parametrize(
    ("method", "path", "route", "status"),
    [
        ("GET", "/", "/{path}", "200"),
        ("GET", "/app.js", "/{path}", "200"),
        ("HEAD", "/app.js", "/{path}", "200"),
        ("POST", "/app.js", "/{path}", "405"),
        ("GET", "/made/up", "/{path}", "404"),
        ("GET", "/admin/ui/app.js", "/admin/ui/{path}", "200"),
        ("GET", "/admin/ui/made/up", "/admin/ui/{path}", "404"),
        ("GET", "/of/acme/app.js", "/of/{tenant}/{path}", "200"),
        ("GET", "/api/bob", "/api/{name}", "200"),
    ],
)
@pytest.mark.proves("Requests: route", "static files")
def test_its_files_are_one_route(
    client: TestClient, observed: Observed, method: str, path: str, route: str, status: str
) -> None:
    client.request(method, path)
    assert observed.counts() == {(method, route, status, ""): 1}
