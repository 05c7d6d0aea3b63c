"""Where the layer stands, what it refuses, and that it leaves no trace behind."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from typing import Any

import anyio
import anyio.to_thread
import pytest
from fastapi import FastAPI
from prometheus_client import CollectorRegistry
from starlette.applications import Starlette
from starlette.routing import Mount
from starlette.testclient import TestClient
from starlette.types import ASGIApp, Message

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


@pytest.mark.parametrize(
    "arguments",
    [
        {"settings": {}},
        {"engines": "sqlite://"},
        {"engines": 1},
        {"registry": "metrics"},
        {"tracer_provider": object()},
    ],
)
def test_an_argument_of_a_wrong_type_is_named(app: FastAPI, arguments: dict[str, Any]) -> None:
    (name,) = arguments
    with pytest.raises(TypeError, match=f"^{name} must be "):
        instrument(app, **arguments)


def test_uninstrument_leaves_what_others_had_wrapped(app: FastAPI, observed: Observed) -> None:
    original = app.build_middleware_stack

    def theirs() -> ASGIApp:
        return original()

    app.build_middleware_stack = theirs  # type: ignore[method-assign]
    observed.instrument(app).uninstrument()
    assert app.build_middleware_stack is theirs


@pytest.mark.anyio
async def test_a_stop_waits_for_no_thread_of_the_users(app: FastAPI, observed: Observed) -> None:
    observed.instrument(app)
    limiter = anyio.to_thread.current_default_thread_limiter()
    messages = iter(("lifespan.startup", "lifespan.shutdown"))
    told = []

    async def receive() -> Message:
        return {"type": next(messages)}

    async def send(message: Message) -> None:
        told.append(message["type"])

    holders = [object() for _ in range(int(limiter.total_tokens))]
    for holder in holders:
        limiter.acquire_on_behalf_of_nowait(holder)
    try:
        with anyio.fail_after(10):
            await app({"type": "lifespan", "app": app, "state": {}}, receive, send)
    finally:
        for holder in holders:
            limiter.release_on_behalf_of(holder)
    assert told == ["lifespan.startup.complete", "lifespan.shutdown.complete"]


def in_a_process(code: str) -> str:
    """What `code` prints; in a process of its own, since it changes what is global."""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", textwrap.dedent(code)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip() + done.stderr.strip()


def test_a_global_provider_of_another_kind_is_used() -> None:
    told = in_a_process("""
        from fastapi import FastAPI
        from opentelemetry import trace
        from instrumentation import Settings, instrument
        provider = trace.NoOpTracerProvider()
        trace.set_tracer_provider(provider)
        print(instrument(FastAPI(), Settings()).tracer_provider is provider)
    """)
    assert told == "True"


@pytest.mark.parametrize(
    ("first_stays", "expected"),
    [(True, "service_name, sampler, traces_exporter;"), (False, "service_name, sampler;")],
)
def test_a_second_application_is_told_what_is_not_in_force(
    first_stays: bool, expected: str
) -> None:
    told = in_a_process(f"""
        import logging
        from fastapi import FastAPI
        from instrumentation import Settings, instrument
        logging.basicConfig()
        given = dict(traces_exporter="console", shutdown_seconds=0)
        app = FastAPI()  # one that is gone gives the queue back
        first = instrument(app, Settings(service_name="a", **given))
        instrument(FastAPI(), Settings(service_name="a", **given)).uninstrument()
        if not {first_stays}:
            first.uninstrument()
        settings = Settings(service_name="b", sampler="always_off", traces_exporter="otlp")
        instrument(FastAPI(), settings)
    """)
    assert expected in told
    assert told.count("WARNING") == 1


def test_an_application_that_ends_takes_no_spans_from_another() -> None:
    told = in_a_process("""
        from fastapi import FastAPI
        from starlette.testclient import TestClient
        from instrumentation import Settings, instrument
        settings = Settings(traces_exporter="console")
        first, second, late = FastAPI(), FastAPI(), FastAPI()
        telemetry = instrument(second, settings)
        instrument(first, settings).uninstrument()
        late.middleware_stack = late.build_middleware_stack()
        try:
            instrument(late, settings)
        except RuntimeError:
            TestClient(second).get("/")
        assert telemetry.flush(10)
    """)
    assert told.count('"kind": "SpanKind.SERVER"') == 1


def test_a_service_that_stops_waits_for_the_collector_once() -> None:
    told = in_a_process("""
        import atexit, logging, time
        from fastapi import FastAPI
        from starlette.testclient import TestClient
        from instrumentation import Settings, instrument
        logging.disable()
        stopped = 0.0
        atexit.register(lambda: print(time.monotonic() - stopped < 1))
        app = FastAPI()
        instrument(app, Settings(otlp_endpoint="http://127.0.0.1:9", shutdown_seconds=2))
        with TestClient(app) as client:
            client.get("/")
            stopped = time.monotonic() + 2
    """)
    assert told == "True"
