"""FastAPI's own telemetry: off, or below our server span, and never a second server span.

Each in a process of its own: FastAPI's telemetry follows the global providers.
"""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap
from typing import Any

import pytest
from fastapi import FastAPI

OWN = "FastAPI's own telemetry is not what it was: see instrumentation/http/framework.py"

PREPARED = """
    import json
    from fastapi import APIRouter, BackgroundTasks, Depends, FastAPI
    from opentelemetry import trace
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
    from starlette.applications import Starlette
    from starlette.routing import Mount
    from starlette.testclient import TestClient
    from instrumentation import Settings, instrument

    exporter = InMemorySpanExporter()
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    trace.set_tracer_provider(provider)

    def service(**arguments):
        app = FastAPI(**arguments)
        @app.get("/x")
        async def x(given: int = Depends(lambda: 1)) -> int:
            return given
        return app

    def tell():
        spans = exporter.get_finished_spans()
        names = {span.context.span_id: span.name for span in spans}
        print(json.dumps(sorted(
            (span.kind.name, span.name, span.parent and names.get(span.parent.span_id))
            for span in spans
        )))
"""


def spans(code: str) -> list[list[Any]]:
    """The spans that `code` tells of: kind, name and the parent's name."""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c",
         textwrap.dedent(PREPARED) + textwrap.dedent(code) + "\ntell()"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found: list[list[Any]] = json.loads(done.stdout)
    return found


def below(server: str) -> list[list[Any]]:
    inner = ("fastapi.dependencies", "fastapi.endpoint", "fastapi.serialization")
    return [["INTERNAL", name, server] for name in inner]


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


def test_without_us_fastapi_has_a_server_span_of_its_own() -> None:
    """A canary: if not, the tests below prove nothing."""
    assert ["SERVER", "GET /x", None] in spans('TestClient(service()).get("/x")'), OWN


@pytest.mark.proves(
    "Requests: FastAPI's own telemetry", "off for the instrumented application by default"
)
@pytest.mark.proves("Requests: FastAPI's own telemetry", "never two server spans")
def test_it_is_off_by_default_for_mounts_too() -> None:
    assert spans("""
        app = service()
        app.mount("/sub", service())
        instrument(app)
        for path in ("/x", "/sub/x"):
            TestClient(app).get(path)
    """) == [["SERVER", "GET /sub/x", None], ["SERVER", "GET /x", None]]


@pytest.mark.proves(
    "Requests: FastAPI's own telemetry",
    "kept by a setting, its inner spans children of our server span",
)
@pytest.mark.proves("Requests: FastAPI's own telemetry", "never two server spans")
@pytest.mark.parametrize(
    ("made", "path"),
    [
        ("app = service()", "/x"),
        ("app = service(); app.mount('/sub', service())", "/sub/x"),
        ("app = Starlette(routes=[Mount('/sub', service())])", "/sub/x"),
    ],
)
def test_its_inner_spans_are_kept_below_ours(made: str, path: str) -> None:
    found = spans(f"""
        {made}
        instrument(app, Settings(fastapi_telemetry=True))
        TestClient(app).get("{path}")
    """)
    assert found == [*below(f"GET {path}"), ["SERVER", f"GET {path}", None]]


def test_its_logs_stay_where_it_is_kept() -> None:
    found = spans("""
        from opentelemetry.sdk._logs import LoggerProvider
        from opentelemetry.sdk._logs import export
        logs = export.InMemoryLogRecordExporter()
        logger_provider = LoggerProvider(shutdown_on_exit=False)
        logger_provider.add_log_record_processor(export.SimpleLogRecordProcessor(logs))
        app = service(telemetry={"logger_provider": logger_provider})
        instrument(app, Settings(fastapi_telemetry=True))
        @app.get("/{number}")
        async def number(number: int) -> int: return number
        TestClient(app).get("/x")
        TestClient(app).get("/wrong")
        (record,) = logs.get_finished_logs()
        assert record.log_record.event_name == "fastapi.validation.failed"
        server = exporter.get_finished_spans()[-1]
        assert record.log_record.trace_id == server.context.trace_id
    """)
    assert [kind for kind, _, _ in found].count("SERVER") == 2
    assert below("GET /x") == [span for span in found if span[2] == "GET /x"]


@pytest.mark.parametrize(
    "telemetry",
    ["{'tracing': False}", "{'operation_spans': False}", "{'exclude': lambda scope: True}"],
)
def test_what_fastapi_was_told_holds(telemetry: str) -> None:
    assert spans(f"""
        app = service(telemetry={telemetry})
        instrument(app, Settings(fastapi_telemetry=True))
        TestClient(app).get("/x")
    """) == [["SERVER", "GET /x", None]]


def test_uninstrument_gives_it_back() -> None:
    found = spans("""
        app = service()
        instrument(app).uninstrument()
        TestClient(app).get("/x")
    """)
    assert len(found) == 4
