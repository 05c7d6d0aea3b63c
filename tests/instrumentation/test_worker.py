"""A process that serves no requests: observed, exported and scraped all the same."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from opentelemetry.trace import SpanKind
from sqlalchemy import create_engine, text

from instrumentation import Settings, Telemetry, instrument_worker
from instrumentation.background.messages import Processing
from tests.instrumentation.conftest import Observed, wait_until
from tests.instrumentation.redis_server import RedisServer, running_redis


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RedisServer]:
    with running_redis(tmp_path) as started:
        yield started


def worker(observed: Observed, **settings: object) -> Telemetry:
    arguments = {"prometheus_host": "127.0.0.1", "prometheus_port": free_port(), **settings}
    telemetry = instrument_worker(
        Settings(**arguments),  # type: ignore[arg-type]
        registry=observed.registry,
        tracer_provider=observed.provider,
    )
    return observed.stack.enter_context(telemetry)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


def test_a_job_s_statements_are_children_of_its_span(observed: Observed) -> None:
    worker(observed)
    engine = create_engine("sqlite://")
    with Processing("mail", "send", {}, system="test"), engine.connect() as connection:
        connection.execute(text("select 1"))
    engine.dispose()
    job, statement = observed.span(SpanKind.CONSUMER), observed.span(SpanKind.CLIENT)
    assert statement.parent == job.get_span_context()


def test_metrics_are_answered_at_a_port_of_the_worker_s_own(observed: Observed) -> None:
    telemetry = worker(observed)
    with Processing("mail", "send", {}, system="test"):
        pass
    url = f"http://127.0.0.1:{telemetry.settings.prometheus_port}"
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{url}/metrics")
    telemetry.start()
    accept = {"Accept": "application/openmetrics-text; version=1.0.0"}
    answer = httpx.get(f"{url}/metrics", headers=accept)
    assert 'background_task_duration_seconds_count{outcome="ok",task="send"} 1.0' in answer.text
    assert "target_info" in answer.text
    assert "trace_id" in answer.text
    head = httpx.head(f"{url}/metrics", headers=accept)
    assert (head.status_code, head.text) == (200, "")
    assert httpx.get(f"{url}/other").status_code == 404
    telemetry.uninstrument()
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{url}/metrics")


def test_no_port_is_opened_where_nobody_scrapes(observed: Observed) -> None:
    telemetry = worker(observed, metrics_exporter="none")
    telemetry.start()
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"http://127.0.0.1:{telemetry.settings.prometheus_port}/metrics")


def test_a_port_that_is_taken_is_one_clear_sentence_and_the_worker_works(
    observed: Observed, caplog: pytest.LogCaptureFixture
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        telemetry = worker(observed, prometheus_port=taken.getsockname()[1])
        telemetry.start()
        with Processing("mail", "send", {}, system="test"):
            pass
    assert "can't answer http://127.0.0.1" in caplog.text
    assert "OTEL_EXPORTER_PROMETHEUS_PORT" in caplog.text
    assert len(observed.spans(SpanKind.CONSUMER)) == 1


def test_a_second_call_with_equal_arguments_is_the_same_worker(observed: Observed) -> None:
    first = worker(observed, prometheus_port=0)
    arguments = {"registry": observed.registry, "tracer_provider": observed.provider}
    settings = first.settings
    assert instrument_worker(settings, **arguments) is first  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="instrumented already"):
        instrument_worker(Settings(), **arguments)  # type: ignore[arg-type]


def test_a_disabled_worker_does_nothing(observed: Observed) -> None:
    telemetry = worker(observed, disabled=True)
    with Processing("mail", "send", {}, system="test"):
        pass
    telemetry.start()
    assert observed.spans(SpanKind.CONSUMER) == []


PROGRAM = """
import os
import dramatiq
from dramatiq.brokers.redis import RedisBroker
from instrumentation import instrument_worker
from instrumentation.background.dramatiq import instrument_broker

broker = RedisBroker(url=os.environ["REDIS_URL"])
dramatiq.set_broker(broker)
instrument_broker(broker)
instrument_worker()

@dramatiq.actor(queue_name="receipts")
def receipt():
    pass
"""


@contextlib.contextmanager
def command_line_worker(folder: Path, server: RedisServer, port: int) -> Iterator[Path]:
    """Run Dramatiq's own command, which forks; answers the file of its output."""
    (folder / "shop.py").write_text(PROGRAM)
    environment = {
        **os.environ,
        "REDIS_URL": server.url,
        "OTEL_SERVICE_NAME": "receipts",
        "OTEL_TRACES_EXPORTER": "console",
        "OTEL_EXPORTER_PROMETHEUS_PORT": str(port),
        "PYTHONPATH": str(Path(__file__).parents[2]),
    }
    command = [sys.executable, "-m", "dramatiq", "shop", "--processes", "1", "--threads", "2"]
    output = folder / "output"
    with output.open("wb") as file:
        process = subprocess.Popen(
            command, cwd=folder, env=environment, stdout=file, stderr=subprocess.STDOUT
        )
        try:
            yield output
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(30)


@pytest.mark.proves("Background work", "context propagation to a task queue, on a real Redis")
def test_dramatiq_s_own_command_exports_spans_and_answers_metrics(
    tmp_path: Path, server: RedisServer
) -> None:
    port = free_port()
    with command_line_worker(tmp_path, server, port) as output:
        sender = {"REDIS_URL": server.url, "OTEL_TRACES_EXPORTER": "none", "PATH": ""}
        send = "import shop; shop.receipt.send()"
        command = [sys.executable, "-c", send]
        subprocess.run(command, cwd=tmp_path, env=sender, check=True)

        def done() -> bool:
            try:
                answer = httpx.get(f"http://localhost:{port}/metrics").text
            except httpx.ConnectError:
                return False
            done = 'background_task_duration_seconds_count{outcome="ok",task="receipt"}' in answer
            known = 'task_queue_dead_letters_total{queue="receipts"} 0.0' in answer
            return done and known and 'task_queue_depth{queue="receipts"} 0.0' in answer

        wait_until(done, 30)
    told = output.read_text()
    begin = told.index("{")
    span, _ = json.JSONDecoder().raw_decode(told[begin:])
    assert span["name"] == "process receipts"
    assert span["resource"]["attributes"]["service.name"] == "receipts"
    assert len(span["links"]) == 1
