"""`python -m instrumentation audit`: what can be read, what was seen, and what it costs."""

from __future__ import annotations

import io
import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI
from prometheus_client import CollectorRegistry, start_http_server

from instrumentation.audit import AuditError, audit, findings
from instrumentation.commands import main
from instrumentation.contract import metrics
from instrumentation.extras import remedy
from instrumentation.series import families
from tests.instrumentation.conftest import Observed, Serve, wait_until

SOURCE = """\
import sqlite3
import time

import requests


async def report() -> None:
    time.sleep(1)
    requests.get(
        "http://example.test",
    )


async def rows() -> None:
    count()


def count() -> int:
    return sqlite3.connect("x").execute("select 1").fetchone()[0]
"""
Service = Callable[[dict[tuple[str, str], tuple[float, int]]], str]


@pytest.fixture
def service() -> Iterator[Service]:
    """A service that answers what its watchdog would have counted, by route and culprit."""
    with ExitStack() as stack:

        def serve(culprits: dict[tuple[str, str], tuple[float, int]]) -> str:
            registry = CollectorRegistry()
            made = families(registry, 1000)
            seconds = made.counter(metrics.ASYNCIO_EVENT_LOOP_CULPRIT_SECONDS)
            blocks = made.counter(metrics.ASYNCIO_EVENT_LOOP_CULPRIT_BLOCKS)
            for labels, (lost, times) in culprits.items():
                seconds.child(*labels).inc(lost)
                blocks.child(*labels).inc(times)
            server, thread = start_http_server(0, "127.0.0.1", registry)
            stack.callback(thread.join)
            stack.callback(server.server_close)
            stack.callback(server.shutdown)
            return f"http://127.0.0.1:{server.server_port}/metrics"

        yield serve


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "app").mkdir()
    (tmp_path / "app" / "shop.py").write_text(SOURCE)
    monkeypatch.chdir(tmp_path)
    return tmp_path / "app"


def report(project: Path, *urls: str) -> str:
    out = io.StringIO()
    assert audit([project], urls, out) == 1
    return out.getvalue()


def headings(text: str) -> list[str]:
    return [line for line in text.splitlines()[:-1] if line and not line.startswith(" ")]


def test_a_blocking_call_is_told_with_file_line_and_alternative(project: Path) -> None:
    text = report(project)
    first = (
        "app/shop.py:8\n"
        "    time.sleep(1)\n"
        "    ASYNC251: Async functions should not call `time.sleep`\n"
        "    instead: await asyncio.sleep(...)\n"
    )
    assert text.startswith(first)
    assert headings(text) == ["app/shop.py:8", "app/shop.py:9"]
    assert "httpx.AsyncClient" in text
    assert text.endswith(
        "2 blocking calls in asynchronous functions; --metrics URL ranks by what the running "
        "service has lost.\n"
    )


def test_what_the_service_has_lost_ranks_the_places(project: Path, service: Service) -> None:
    url = service(
        {
            ("/report", "shop.py:9 report"): (2.5, 10),
            ("/rows", "shop.py:19 count"): (7.25, 1),
            ("/more", "shop.py:9 report"): (0.5, 2),
            ("", "gc"): (0.25, 1),
            ("/x", "elsewhere.py:3 f"): (0.125, 1),
        }
    )
    text = report(project, url)
    assert headings(text) == [
        "app/shop.py:19  held the event loop once, for 7.25 s, in /rows",
        "app/shop.py:9  held the event loop 12 times, for 3.00 s, in /more, /report",
        "gc  held the event loop once, for 0.25 s, in no request",
        "elsewhere.py:3 f  held the event loop once, for 0.12 s, in /x",
        "app/shop.py:8",
    ]
    assert 'sqlite3.connect("x")' in text
    assert text.splitlines()[-1] == (
        "2 blocking calls in asynchronous functions; the running service has lost 10.62 s to 4 of "
        "these places."
    )


def test_several_instances_are_summed(project: Path, service: Service) -> None:
    urls = [service({("/report", "shop.py:8 report"): (1.5, 1)}) for _ in range(2)]
    text = report(project, *urls)
    assert headings(text)[0].startswith("app/shop.py:8  held the event loop 2 times, for 3.00 s")


def test_files_of_the_same_name_are_told_apart_by_the_function(
    project: Path, service: Service
) -> None:
    (project / "other").mkdir()
    (project / "other" / "shop.py").write_text(SOURCE.replace("report", "other"))
    text = report(project, service({("/o", "shop.py:8 other"): (1.0, 1)}))
    assert headings(text)[0].startswith("app/other/shop.py:8  held")


def test_nothing_found_is_said_and_is_no_failure(project: Path, service: Service) -> None:
    (project / "shop.py").write_text("async def fine() -> None: ...\n")
    out = io.StringIO()
    assert audit([project], [service({})], out) == 0
    assert out.getvalue() == (
        "No blocking call was found; the running service has reported none.\n"
    )


def test_a_noqa_comment_is_honoured(project: Path) -> None:
    source = "import time\n\n\nasync def f() -> None:\n    time.sleep(1)  # noqa: ASYNC251\n"
    (project / "shop.py").write_text(source)
    assert audit([project], [], io.StringIO()) == 0


def test_every_rule_that_ruff_has_is_given_its_alternative() -> None:
    command = [sys.executable, "-m", "ruff", "rule", "--all"]
    text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    known = {word.strip("()") for word in text.split() if word.startswith("(ASYNC2")}
    assert known == set(findings._ALTERNATIVES)


def test_a_missing_ruff_is_answered_with_how_to_install_it(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(findings, "find_spec", lambda _: None)
    monkeypatch.setenv("PATH", str(project))
    with pytest.raises(AuditError) as caught:
        audit([project], [], io.StringIO())
    assert str(caught.value) == f"ruff is missing: {remedy('audit')}"


def test_a_ruff_on_the_path_will_do(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(findings, "find_spec", lambda _: None)
    monkeypatch.setenv("PATH", os.path.dirname(sys.executable))
    assert "ASYNC251" in report(project)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def test_whatever_is_wrong_is_one_sentence(
    project: Path, service: Service, capsys: pytest.CaptureFixture[str]
) -> None:
    server, thread = start_http_server(0, "127.0.0.1", CollectorRegistry())
    try:
        bare = f"http://127.0.0.1:{server.server_port}/"
        closed = f"http://127.0.0.1:{_free_port()}/metrics"
        (project / "broken.py").write_text("async def (\n")
        Path("empty").mkdir()
        Path("empty", "pyproject.toml").write_text("[project]\n")
        Path("notes.md").write_text("# Notes\n")
        wrong = {
            ("nowhere",): "there is no nowhere",
            ("app/shop.py", "--metrics", "shop"): "--metrics must be an http:// or https:// "
            "address, got 'shop'",
            ("app/shop.py", "--metrics", closed): f"{closed} doesn't answer: ",
            ("app/shop.py", "--metrics", bare): f"{bare} has no asyncio_event_loop_culprit",
            ("empty",): "empty holds no Python that ruff would read",
            ("app/shop.py", "notes.md"): "notes.md holds no Python that ruff would read",
            ("app",): f"{project}/broken.py:1 can't be read as Python: ",
        }
        for arguments, sentence in wrong.items():
            assert main(["audit", *arguments]) == 2
            out, err = capsys.readouterr()
            assert out == ""
            assert err.startswith(f"audit: {sentence}")
            assert err.count("\n") == 1
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def test_the_module_is_a_command_with_help(project: Path) -> None:
    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "instrumentation", *arguments]
        return subprocess.run(command, capture_output=True, text=True)

    assert run("audit", str(project)).returncode == 1
    assert run("reference").stdout.startswith("# Metrics")
    assert run().returncode == 2
    assert "audit" in run("--help").stdout


def test_importing_the_package_brings_no_dependency_along() -> None:
    script = (
        "import sys, instrumentation\n"
        "heavy = {'opentelemetry', 'starlette', 'prometheus_client', 'anyio', 'asyncio'}\n"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)\n"
        "assert 'instrument' in dir(instrumentation)\n"
        "from instrumentation import Settings, Telemetry, instrument\n"
        "assert instrumentation.instrument is instrument\n"
        "assert not hasattr(instrumentation, 'nothing')\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True)


def hold() -> None:
    time.sleep(0.3)  # the line that no rule sees


def test_what_the_watchdog_of_a_running_service_has_seen_is_found(
    observed: Observed, serve: Serve
) -> None:
    app = FastAPI()

    @app.get("/held")
    async def held() -> None:
        hold()

    observed.instrument(app)
    base = serve(app)
    lines = Path(__file__).read_text().splitlines()
    line = 1 + next(
        n for n, text in enumerate(lines) if text.endswith("# the line that no rule sees")
    )
    expected = rf"test_audit\.py:{line}  held the event loop \w+( times)?, for [\d.]+ s, in /held"

    def report() -> str:
        httpx.get(f"{base}/held", trust_env=False)
        out = io.StringIO()
        audit([Path(__file__)], [f"{base}/metrics"], out)
        return out.getvalue()

    wait_until(lambda: re.search(expected, report()), 60)
