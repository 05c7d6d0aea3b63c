"""Another OpenTelemetryMiddleware on the application stops the start, wherever it stands."""

from __future__ import annotations

import logging
import socket
from typing import Any

import pytest
import uvicorn
from fastapi import FastAPI
from opentelemetry.instrumentation.asgi import OpenTelemetryMiddleware as Contribs
from opentelemetry.instrumentation.fastapi import FastAPIInstrumentor
from starlette.middleware.opentelemetry import OpenTelemetryMiddleware as Starlettes
from starlette.testclient import TestClient

from tests.instrumentation.conftest import Observed

REFUSED = "an OpenTelemetryMiddleware already; every request would get two server spans"
either = pytest.mark.parametrize("middleware", [Contribs, Starlettes])


class Derived(Contribs):
    """Goes by another name."""


@pytest.fixture
def app() -> FastAPI:
    app = FastAPI()
    app.get("/")(lambda: "ok")
    return app


@pytest.mark.proves(
    "Requests: FastAPI's own telemetry",
    "another OpenTelemetryMiddleware on the application is a clear error",
)
@pytest.mark.parametrize("middleware", [Contribs, Starlettes, Derived])
def test_one_that_was_added_before(app: FastAPI, observed: Observed, middleware: Any) -> None:
    app.add_middleware(middleware)
    with pytest.raises(ValueError, match=REFUSED):
        observed.instrument(app)


@pytest.mark.proves(
    "Requests: FastAPI's own telemetry",
    "another OpenTelemetryMiddleware on the application is a clear error",
)
@pytest.mark.parametrize("middleware", [Contribs, Starlettes, lambda app: Contribs(app)])
def test_one_that_is_added_later(app: FastAPI, observed: Observed, middleware: Any) -> None:
    observed.instrument(app)
    app.add_middleware(middleware)
    with pytest.raises(ValueError, match=REFUSED):
        TestClient(app).get("/")


@either
def test_one_that_was_wrapped_around_before(
    app: FastAPI, observed: Observed, middleware: Any
) -> None:
    with pytest.raises(ValueError, match=REFUSED):
        observed.instrument(middleware(app))


@either
@pytest.mark.parametrize("lifespan", [True, False])
def test_one_that_is_wrapped_around_later(
    app: FastAPI, observed: Observed, middleware: Any, lifespan: bool
) -> None:
    observed.instrument(app)
    client = TestClient(middleware(app))
    with pytest.raises(ValueError, match=REFUSED):
        client.__enter__() if lifespan else client.get("/")


@pytest.mark.proves(
    "Requests: FastAPI's own telemetry",
    "another OpenTelemetryMiddleware on the application is a clear error",
)
def test_contribs_instrumentor_before(app: FastAPI, observed: Observed) -> None:
    FastAPIInstrumentor.instrument_app(app)
    try:
        with pytest.raises(ValueError, match=REFUSED):
            observed.instrument(app)
    finally:
        FastAPIInstrumentor.uninstrument_app(app)


@pytest.mark.proves(
    "Requests: FastAPI's own telemetry",
    "another OpenTelemetryMiddleware on the application is a clear error",
)
def test_contribs_instrumentor_later(app: FastAPI, observed: Observed) -> None:
    observed.instrument(app)
    FastAPIInstrumentor.instrument_app(app)
    try:
        with pytest.raises(ValueError, match=REFUSED):
            TestClient(app).get("/")
    finally:
        FastAPIInstrumentor.uninstrument_app(app)


@pytest.mark.parametrize("wrapped", [True, False])
def test_a_server_doesnt_start(
    app: FastAPI, observed: Observed, caplog: pytest.LogCaptureFixture, wrapped: bool
) -> None:
    """Not a server that starts and answers each request with an error."""
    observed.instrument(app)
    served: Any = Contribs(app) if wrapped else app
    if not wrapped:
        app.add_middleware(Contribs)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = uvicorn.Server(uvicorn.Config(served, log_config=None))
        logger = logging.getLogger("uvicorn.error")
        caplog.set_level(logging.ERROR, logger.name)
        logger.addHandler(caplog.handler)  # another server's configuration may keep it from root
        try:
            with pytest.raises(SystemExit):
                server.run(sockets=[listener])
        finally:
            logger.removeHandler(caplog.handler)
    assert not server.started
    assert REFUSED in caplog.text
