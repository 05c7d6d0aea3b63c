"""FastAPI's own telemetry: off, or below our server span, and never a second server span."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from typing import Any

import pytest
from fastapi import Depends, FastAPI
from opentelemetry.sdk._logs import LoggerProvider, export
from opentelemetry.trace import SpanKind
from starlette.applications import Starlette
from starlette.routing import Mount
from starlette.testclient import TestClient

from tests.instrumentation.conftest import Observed

OWN = "FastAPI's own telemetry is not what it was: see instrumentation/http/framework.py"
INNER = ("fastapi.dependencies", "fastapi.endpoint", "fastapi.serialization")


def service(observed: Observed, **telemetry: Any) -> FastAPI:
    """An application whose own telemetry is on: it has a provider."""
    given: Any = {"tracer_provider": observed.provider, **telemetry}
    app = FastAPI(telemetry=given)

    @app.get("/x", dependencies=[Depends(lambda: 1)])
    async def x() -> int:
        return 1

    @app.get("/number/{number}")
    async def number(number: int) -> int:
        return number

    return app


def told(observed: Observed) -> list[tuple[str, str, str | None]]:
    """Kind, name and the parent's name of every span."""
    spans = observed.exporter.get_finished_spans()
    names = {span.context.span_id: span.name for span in spans}
    return sorted(
        (span.kind.name, span.name, names.get(span.parent.span_id) if span.parent else None)
        for span in spans
    )


def server(route: str) -> tuple[str, str, None]:
    return ("SERVER", f"GET {route}", None)


def inner(route: str) -> list[tuple[str, str, str]]:
    return [("INTERNAL", name, f"GET {route}") for name in INNER]


def test_the_configuration_is_where_it_was() -> None:
    """A canary: the private names that are touched exist in this release."""
    config = FastAPI()._telemetry
    assert {"tracing", "metrics", "logs", "operation_spans", "auto_configure", "exclude"} <= set(
        config
    ), OWN
    from fastapi.telemetry import _api

    record = _api._RequestTelemetry(span=None, span_method="")
    assert record.tracer is None, OWN
    assert _api._REQUEST_TELEMETRY_KEY, OWN


def test_without_us_fastapi_has_a_server_span_of_its_own(observed: Observed) -> None:
    """A canary: if not, the tests below prove nothing."""
    TestClient(service(observed)).get("/x")
    assert told(observed) == [*inner("/x"), server("/x")], OWN


@pytest.mark.proves(
    "Requests: FastAPI's own telemetry", "off for the instrumented application by default"
)
@pytest.mark.proves("Requests: FastAPI's own telemetry", "never two server spans")
def test_it_is_off_by_default_for_mounts_too(observed: Observed) -> None:
    app = service(observed)
    app.mount("/sub", service(observed))
    observed.instrument(app)
    for path in ("/x", "/sub/x"):
        TestClient(app).get(path)
    assert told(observed) == [server("/sub/x"), server("/x")]


@pytest.mark.proves(
    "Requests: FastAPI's own telemetry", "off for the instrumented application by default"
)
def test_it_is_off_where_it_follows_the_global_provider() -> None:
    """In a process of its own, where the provider can be set."""
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
        plain, app = FastAPI(), FastAPI()
        for each in (plain, app):
            each.get("/")(endpoint)
        TestClient(plain).get("/")
        print(len(exporter.get_finished_spans()) > 1)
        exporter.clear()
        instrument(app)
        TestClient(app).get("/")
        print([span.name for span in exporter.get_finished_spans()])
    """
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", textwrap.dedent(code)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.splitlines() == ["True", "['GET /']"], done.stderr


@pytest.mark.proves(
    "Requests: FastAPI's own telemetry",
    "kept by a setting, its inner spans children of our server span",
)
@pytest.mark.proves("Requests: FastAPI's own telemetry", "never two server spans")
@pytest.mark.parametrize("parent", ["none", "FastAPI", "Starlette"])
def test_its_inner_spans_are_kept_below_ours(observed: Observed, parent: str) -> None:
    app: Starlette = service(observed)
    if parent == "FastAPI":
        app = service(observed)
        app.mount("/sub", service(observed))
    elif parent == "Starlette":
        app = Starlette(routes=[Mount("/sub", service(observed))])
    route = "/x" if parent == "none" else "/sub/x"
    observed.instrument(app, fastapi_telemetry=True)
    TestClient(app).get(route)
    assert told(observed) == [*inner(route), server(route)]


def test_its_logs_stay_where_it_is_kept(observed: Observed) -> None:
    logs = export.InMemoryLogRecordExporter()  # type: ignore[no-untyped-call]
    provider = LoggerProvider(shutdown_on_exit=False)
    provider.add_log_record_processor(export.SimpleLogRecordProcessor(logs))
    app = service(observed, logger_provider=provider)
    observed.instrument(app, fastapi_telemetry=True)
    TestClient(app).get("/x")
    assert told(observed) == [*inner("/x"), server("/x")]
    observed.exporter.clear()
    TestClient(app).get("/number/wrong")
    (kept,) = logs.get_finished_logs()
    assert kept.log_record.event_name == "fastapi.validation.failed"
    assert kept.log_record.trace_id == observed.span(SpanKind.SERVER).context.trace_id


@pytest.mark.parametrize(
    "telemetry", [{"tracing": False}, {"operation_spans": False}, {"exclude": lambda scope: True}]
)
def test_what_fastapi_was_told_holds(observed: Observed, telemetry: dict[str, Any]) -> None:
    app = service(observed, **telemetry)
    observed.instrument(app, fastapi_telemetry=True)
    TestClient(app).get("/x")
    assert told(observed) == [server("/x")]


def test_uninstrument_gives_it_back(observed: Observed) -> None:
    app = service(observed)
    observed.instrument(app).uninstrument()
    TestClient(app).get("/x")
    assert told(observed) == [*inner("/x"), server("/x")]
