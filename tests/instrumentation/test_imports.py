"""A library is observed once the application has imported it, and never loaded for that."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from prometheus_client import CollectorRegistry

from instrumentation import Settings, Telemetry
from instrumentation.imports import when_imported

APPLICATION = """
    import asyncio, sys
    from fastapi import FastAPI
    from prometheus_client import CollectorRegistry
    from instrumentation import Settings, instrument

    app = FastAPI()
    settings = Settings(traces_exporter="none")

    def ask(path):
        scope = {"type": "http", "method": "GET", "path": path, "query_string": b"",
                 "headers": []}
        async def receive():
            return {"type": "http.request"}
        async def send(message):
            pass
        asyncio.run(app(scope, receive, send))

    def counted(telemetry, family):
        return sum(sample.value for each in telemetry.registry.collect()
                   for sample in each.samples if sample.name == family + "_count")
"""
HANDLERS = {
    "sqlalchemy": """
        def read():
            import sqlalchemy
            engine = sqlalchemy.create_engine("sqlite://")
            with engine.connect() as connection:
                connection.execute(sqlalchemy.text("SELECT 1"))
    """,
    "httpx": """
        def read():
            import httpx
            with httpx.Client() as client:
                try:
                    client.get("http://127.0.0.1:1/")
                except httpx.ConnectError:
                    pass
    """,
}
HANDLERS["httpx2"] = HANDLERS["httpx"].replace("httpx", "httpx2")
FAMILIES = {
    "sqlalchemy": "db_client_operation_duration_seconds",
    "httpx": "http_client_request_duration_seconds",
    "httpx2": "http_client_request_duration_seconds",
}


def run(*code: str) -> str:
    """What this code prints in a fresh process, where nothing is imported yet."""
    text = "\n".join(map(textwrap.dedent, code))
    ended = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout.strip()


@pytest.fixture
def telemetry() -> Iterator[Telemetry]:
    with Telemetry(Settings(traces_exporter="none"), CollectorRegistry()) as made:
        yield made


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The name of a library that nobody has imported yet."""
    name = f"library_{uuid4().hex}"
    (tmp_path / f"{name}.py").write_text("")
    monkeypatch.syspath_prepend(tmp_path)
    yield name
    sys.modules.pop(name, None)


OBSERVED = {"sqlalchemy", "httpx", "httpx2"}
RULES = {"instrumentation.contract.slo"}
METRICS = {"opentelemetry.sdk.metrics"}
SENDING = {"google.protobuf", "urllib3", "instrumentation.export.otlp"}


@pytest.mark.parametrize(
    ("settings", "heavy"),
    [
        ("", OBSERVED | RULES | METRICS | {"requests"}),
        ("traces_exporter='none'", OBSERVED | RULES | METRICS | {"requests"} | SENDING),
    ],
)
def test_what_is_of_no_use_is_not_loaded(settings: str, heavy: set[str]) -> None:
    found = run(
        APPLICATION,
        f"""
        instrument(app, Settings({settings}), registry=CollectorRegistry())
        ask("/")
        print(sorted({heavy} & sys.modules.keys()))
        """,
    )
    assert found == "[]"


@pytest.mark.parametrize("library", HANDLERS)
def test_what_is_imported_as_late_as_in_a_request_is_observed(library: str) -> None:
    found = run(
        APPLICATION,
        HANDLERS[library],
        f"""
        app.get("/")(read)
        telemetry = instrument(app, settings, registry=CollectorRegistry())
        assert "{library}" not in sys.modules
        ask("/")
        ask("/")
        print(counted(telemetry, "{FAMILIES[library]}"))
        """,
    )
    assert found == "2.0"


@pytest.mark.parametrize("library", HANDLERS)
def test_what_is_imported_after_uninstrument_is_left_alone(library: str) -> None:
    found = run(
        APPLICATION,
        HANDLERS[library],
        f"""
        app.get("/")(read)
        telemetry = instrument(app, settings, registry=CollectorRegistry())
        telemetry.uninstrument()
        ask("/")
        print("{library}" in sys.modules, "instrumentation.database.life" in sys.modules,
              "instrumentation.outbound.calls" in sys.modules,
              counted(telemetry, "{FAMILIES[library]}"))
        """,
    )
    assert found == "True False False 0"


def test_each_application_observes_what_comes_late() -> None:
    found = run(
        APPLICATION,
        HANDLERS["sqlalchemy"],
        """
        registries = CollectorRegistry(), CollectorRegistry()
        apps = FastAPI(), FastAPI()
        both = []
        for app, registry in zip(apps, registries):
            app.get("/")(read)
            both.append(instrument(app, settings, registry=registry))
        for app in (*apps, app):
            ask("/")
        print([counted(each, "db_client_operation_duration_seconds") for each in both])
        """,
    )
    assert found == "[1.0, 2.0]"


def test_a_library_that_is_there_is_observed_at_once(telemetry: Telemetry) -> None:
    found: list[Telemetry] = []
    when_imported("json", telemetry, found.append)
    assert found == [telemetry]


def test_a_library_is_observed_once_however_often_it_is_imported(
    telemetry: Telemetry, module: str
) -> None:
    found: list[Telemetry] = []
    when_imported(module, telemetry, found.append)
    assert found == []
    __import__(module)
    __import__(module)
    assert found == [telemetry]


def test_an_import_does_not_fail_where_its_observation_does(
    telemetry: Telemetry, module: str
) -> None:
    def observe(_: Telemetry) -> None:
        raise LookupError("this release has another name for it")

    when_imported(module, telemetry, observe)
    assert __import__(module).__name__ == module
    labels = {"part": module}
    counted = telemetry.registry.get_sample_value("instrumentation_internal_errors_total", labels)
    assert counted == 1


def test_one_who_waits_in_vain_keeps_no_other_from_observing(
    telemetry: Telemetry, module: str
) -> None:
    found: list[Telemetry] = []
    with Telemetry(Settings(traces_exporter="none"), CollectorRegistry()) as gone:
        when_imported(module, gone, found.append)
    when_imported(module, telemetry, found.append)
    __import__(module)
    assert found == [telemetry]
