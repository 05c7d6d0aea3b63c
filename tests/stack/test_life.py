"""How the stack ends: on request, and when one of its programs dies."""

import os
import signal
from functools import partial
from pathlib import Path

import httpx
import psutil
import pytest

from tests.stack.running import (
    BACKENDS,
    eventually,
    free_ports,
    left_behind,
    listening,
    started,
)
from tests.stack.test_whole_way import read_trace, send_span

pytestmark = pytest.mark.stack


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_request_to_stop_leaves_no_process_and_no_port(
    tmp_path: Path, number: signal.Signals
) -> None:
    ports = free_ports()
    with started(tmp_path, ports) as process:
        assert len(left_behind(tmp_path)) >= len(BACKENDS.split(","))
        process.send_signal(number)
        assert process.wait(timeout=60) == 0
    assert not (tmp_path / "data" / "ready").exists()
    assert not left_behind(tmp_path)
    assert not listening(ports)


def test_an_impatient_second_ctrl_c_does_not_break_the_clean_up(tmp_path: Path) -> None:
    ports = free_ports()
    with started(tmp_path, ports) as process:
        process.send_signal(signal.SIGINT)
        eventually(lambda: not (tmp_path / "data" / "ready").exists())
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=60) == 0
    assert not left_behind(tmp_path)
    assert not listening(ports)


def test_a_program_that_dies_is_named_and_takes_the_rest_along(tmp_path: Path) -> None:
    ports = free_ports()
    with started(tmp_path, ports) as process:
        os.kill(listener(ports["JAEGER_QUERY_PORT"]), signal.SIGKILL)
        assert process.wait(timeout=60) == 1
    said = (tmp_path / "up.log").read_text()
    assert "jaeger ended" in said
    assert str(tmp_path / "data" / "log" / "jaeger.log") in said
    assert "Its last lines:" in said
    assert not left_behind(tmp_path)
    assert not listening(ports)


def test_the_stack_does_not_outlive_a_killed_runner(tmp_path: Path) -> None:
    ports = free_ports()
    with started(tmp_path, ports) as process:
        process.kill()
        process.wait()
        eventually(lambda: not left_behind(tmp_path), explain=lambda: left_behind(tmp_path))
    eventually(lambda: not listening(ports), explain=lambda: listening(ports))


def test_a_second_start_keeps_traces_and_metrics(tmp_path: Path) -> None:
    ports = free_ports()
    with started(tmp_path, ports, "--only", BACKENDS, "--scale", "10"):
        trace_id = send_span(ports, {"kept": True})
        eventually(lambda: read_trace(ports, trace_id))
        first = eventually(lambda: head_minimum(ports))
    with started(tmp_path, ports):
        assert read_trace(ports, trace_id)
        assert head_minimum(ports) == first


def test_acknowledged_spans_outlive_jaeger_s_absence_and_the_collector_s_death(
    tmp_path: Path,
) -> None:
    ports = free_ports()
    with started(tmp_path, ports, "--only", "collector") as process:
        trace_ids = [send_span(ports, {"number": number}) for number in range(50)]
        os.kill(listener(ports["OTLP_HTTP_PORT"]), signal.SIGKILL)
        assert process.wait(timeout=60) == 1
    with started(tmp_path, ports, "--only", "collector,jaeger"):
        for trace_id in trace_ids:
            eventually(partial(read_trace, ports, trace_id))


def head_minimum(ports: dict[str, str]) -> int:
    """The time of the oldest sample, in milliseconds; 0 while there is none."""
    url = f"http://127.0.0.1:{ports['PROMETHEUS_PORT']}/api/v1/status/tsdb"
    minimum: int = httpx.get(url).json()["data"]["headStats"]["minTime"]
    return minimum if minimum < 1 << 60 else 0


def listener(port: str) -> int:
    """The process that listens on a port."""
    for connection in psutil.net_connections("tcp"):
        local = getattr(connection.laddr, "port", None)
        if connection.status == psutil.CONN_LISTEN and local == int(port):
            assert connection.pid is not None
            return connection.pid
    raise AssertionError(f"nobody listens on {port}")
