"""Where the layer stands, what it refuses, and that it leaves no trace behind."""

from __future__ import annotations

import subprocess
import sys
import textwrap

import pytest
from fastapi import FastAPI
from opentelemetry.instrumentation.asgi import OpenTelemetryMiddleware
from opentelemetry.instrumentation.fastapi import FastAPIInstrumentor
from prometheus_client import CollectorRegistry
from starlette.applications import Starlette
from starlette.routing import Mount
from starlette.testclient import TestClient

from instrumentation import Settings, instrument
from tests.instrumentation.conftest import Observed


@pytest.fixture
def app() -> FastAPI:
    app = FastAPI()
    app.get("/")(lambda: "ok")
    return app


def test_routes_and_middlewares_may_come_afterwards(app: FastAPI, observed: Observed) -> None:
    class Teapot:
        def __init__(self, app: object) -> None:
            pass

        async def __call__(self, scope: object, receive: object, send: object) -> None:
            await send({"type": "http.response.start", "status": 418, "headers": []})  # type: ignore[operator]
            await send({"type": "http.response.body"})  # type: ignore[operator]

    observed.instrument(app)
    app.add_middleware(Teapot)
    TestClient(app).get("/")
    assert observed.counts() == {("GET", "unmatched", "418", ""): 1}


def test_the_same_arguments_give_the_same_telemetry(app: FastAPI, observed: Observed) -> None:
    first = observed.instrument(app)
    assert observed.instrument(app) is first


def test_other_arguments_are_refused(app: FastAPI, observed: Observed) -> None:
    observed.instrument(app)
    with pytest.raises(ValueError, match="instrumented already, with other arguments"):
        instrument(app, Settings(), registry=CollectorRegistry())


def test_it_is_too_late_after_the_first_request(app: FastAPI, observed: Observed) -> None:
    TestClient(app).get("/")
    with pytest.raises(RuntimeError, match="this one has started"):
        observed.instrument(app)


def test_only_an_application_can_be_instrumented() -> None:
    with pytest.raises(TypeError, match="needs a FastAPI or Starlette application, got object"):
        instrument(object())  # type: ignore[arg-type]


def test_contribs_instrumentation_is_refused(app: FastAPI, observed: Observed) -> None:
    FastAPIInstrumentor.instrument_app(app)
    try:
        with pytest.raises(ValueError, match="two server spans"):
            observed.instrument(app)
    finally:
        FastAPIInstrumentor.uninstrument_app(app)


@pytest.mark.parametrize("early", [True, False])
def test_an_opentelemetry_middleware_is_refused(
    app: FastAPI, observed: Observed, early: bool
) -> None:
    if early:
        app.add_middleware(OpenTelemetryMiddleware)
        with pytest.raises(ValueError, match="two server spans"):
            observed.instrument(app)
        return
    observed.instrument(app)
    app.add_middleware(OpenTelemetryMiddleware)
    with pytest.raises(ValueError, match="two server spans"):
        TestClient(app).get("/")


def test_uninstrument_restores_everything(app: FastAPI, observed: Observed) -> None:
    mounted = FastAPI()
    app.mount("/sub", mounted)
    before = dict(vars(app))
    own_telemetry = dict(app._telemetry)
    telemetry = observed.instrument(app)
    TestClient(app).get("/")
    telemetry.uninstrument()
    assert dict(vars(app)) == before
    assert app._telemetry == own_telemetry
    assert [route.app for route in app.routes if isinstance(route, Mount)] == [mounted]
    TestClient(app).get("/")
    assert observed.counts() == {("GET", "/", "200", ""): 1}


def test_a_disabled_sdk_does_nothing(app: FastAPI, observed: Observed) -> None:
    observed.instrument(app, disabled=True)
    assert TestClient(app).get("/metrics").status_code == 404
    assert list(observed.registry.collect()) == []
    assert observed.spans() == []


def test_two_applications_share_a_registry(app: FastAPI, observed: Observed) -> None:
    other = Starlette()
    observed.instrument(app)
    observed.instrument(other)
    TestClient(app).get("/")
    TestClient(other).get("/")
    assert observed.counts() == {
        ("GET", "/", "200", ""): 1,
        ("GET", "unmatched", "404", ""): 1,
    }


def test_fastapis_own_telemetry_adds_no_span() -> None:
    """In a process of its own: FastAPI's telemetry starts with a global tracer provider."""
    code = """
        from fastapi import FastAPI
        from opentelemetry import trace
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import SimpleSpanProcessor
        from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
        from starlette.testclient import TestClient
        from instrumentation import instrument

        exporter = InMemorySpanExporter()
        provider = TracerProvider()
        provider.add_span_processor(SimpleSpanProcessor(exporter))
        trace.set_tracer_provider(provider)
        def endpoint(): return "ok"
        plain, app, mounted = FastAPI(), FastAPI(), FastAPI()
        for each in (plain, app, mounted):
            each.get("/")(endpoint)
        app.mount("/sub", mounted)
        TestClient(plain).get("/")
        assert len(exporter.get_finished_spans()) > 1, "FastAPI's own telemetry is not what it was"
        exporter.clear()
        instrument(app)
        for path in ("/", "/sub/"):
            TestClient(app).get(path)
        print([span.name for span in exporter.get_finished_spans()])
    """
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", textwrap.dedent(code)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.strip() == "['GET /', 'GET /sub/']", done.stderr


def test_importing_and_instrumenting_start_no_thread() -> None:
    code = """
        import threading
        from fastapi import FastAPI
        from instrumentation import instrument
        instrument(FastAPI())
        print(threading.active_count())
    """
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", textwrap.dedent(code)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.strip() == "1", done.stderr
