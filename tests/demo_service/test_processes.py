"""The demo as it is run: three processes that find each other, and stop when told."""

from __future__ import annotations

import contextlib
import signal
import socket
import subprocess
import sys
from typing import TYPE_CHECKING

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from demo_service.shape import MIX
from tests.demo_service.processes import PATIENCE_SECONDS, answers, program, wait_until
from tests.demo_service.running import LOOPBACK, free_port

if TYPE_CHECKING:
    from pathlib import Path

    from demo_service.shape import Traffic

Labels = tuple[str, str, int]
COUNT = "http_server_request_duration_seconds_count"
PROGRAMS = {
    "orders": "demo_service",
    "payments": "demo_service.payments",
    "load": "demo_service.load",
}
COMMANDS = {**PROGRAMS, "receipts": "demo_service.receipts"}


@pytest.fixture
def environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    monkeypatch.delenv("OTEL_SDK_DISABLED")
    return {
        "DEMO_PORT": str(free_port()),
        "PAYMENTS_PORT": str(free_port()),
        "LOAD_PORT": str(free_port()),
        "DEMO_STATE_DIR": str(tmp_path / "state"),
        "DEMO_LOAD_RATE": "60",
        "OTEL_TRACES_EXPORTER": "none",
    }


def requests(port: str) -> dict[Labels, float]:
    """Return how many requests the service at `port` has answered, by its own account."""
    text = httpx.get(f"http://{LOOPBACK}:{port}/metrics", trust_env=False).text
    return {
        (
            sample.labels["http_request_method"],
            sample.labels["http_route"],
            int(sample.labels["http_response_status_code"]),
        ): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name == COUNT
    }


def labels(kind: Traffic) -> Labels:
    return kind.method, kind.route, kind.status


def test_live_traffic_has_exactly_the_labels_of_the_mix(
    environment: dict[str, str], tmp_path: Path
) -> None:
    orders, payments = environment["DEMO_PORT"], environment["PAYMENTS_PORT"]
    # A busy machine holds event loops; that is no line that this test is about.
    environment = {**environment, "INSTRUMENTATION_BLOCKING_THRESHOLD": "0"}
    with contextlib.ExitStack() as stack:
        running = {
            # The load comes first: it has to wait for the service.
            name: stack.enter_context(program(PROGRAMS[name], tmp_path / name, **environment))
            for name in ("load", "payments", "orders")
        }
        wait_until(lambda: answers(f"http://{LOOPBACK}:{orders}/readyz"), "orders is ready")
        expected = {labels(kind) for kind in MIX if kind.job == "orders"}
        wait_until(lambda: set(requests(orders)) >= expected, "every kind of request")

        # Those who simulate users go first, and leave no request unanswered behind.
        running["load"].send_signal(signal.SIGTERM)
        assert running["load"].wait(PATIENCE_SECONDS) == 0
        seen = requests(orders)
        assert set(seen) == expected
        charges = requests(payments)
        assert set(charges) == {labels(kind) for kind in MIX if kind.job == "payments"}
        assert sum(charges.values()) == seen["POST", "/api/v1/orders", 201]

        for name in ("orders", "payments"):
            running[name].send_signal(signal.SIGTERM)
            assert running[name].wait(PATIENCE_SECONDS) == 0
    for name in PROGRAMS:
        assert len((tmp_path / name).read_text().splitlines()) <= 2


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_program_stops_before_it_was_needed(
    name: str, environment: dict[str, str], tmp_path: Path
) -> None:
    log = tmp_path / "log"
    with program(PROGRAMS[name], log, **environment) as process:
        wait_until(lambda: name in log.read_text(), "the first line of output")
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE_SECONDS) == 0


@pytest.mark.parametrize(
    ("name", "variable"),
    [("orders", "DEMO_PORT"), ("payments", "PAYMENTS_PORT"), ("load", "LOAD_PORT")],
)
def test_a_taken_port_is_one_sentence(
    name: str, variable: str, environment: dict[str, str], tmp_path: Path
) -> None:
    with socket.create_server((LOOPBACK, int(environment[variable]))):
        said = _fails(name, tmp_path / "log", environment)
    where = f"{LOOPBACK}:{environment[variable]}"
    assert said == f"{name}: can't listen on {where}: Address already in use\n"


@pytest.mark.parametrize(
    ("name", "variable", "value"),
    [
        ("orders", "DATABASE_URL", "mysql://localhost/orders"),
        ("orders", "OTEL_METRICS_EXPORTER", "carrier pigeon"),
        ("payments", "PAYMENTS_PORT", "eighty"),
        ("orders", "DEMO_POOL_SIZE", "none"),
        ("orders", "DEMO_REDIS_URL", "localhost"),
        ("load", "LOAD_PORT", "0"),
        ("load", "DEMO_LOAD_RATE", "-1"),
    ],
)
def test_a_wrong_setting_is_one_sentence(
    name: str, variable: str, value: str, environment: dict[str, str], tmp_path: Path
) -> None:
    said = _fails(name, tmp_path / "log", environment | {variable: value})
    assert said.startswith(f"{name}: ")
    assert said.count("\n") == 1
    assert value in said
    assert variable in said


@pytest.mark.parametrize("name", ["orders", "receipts", "load"])
def test_a_state_folder_that_can_not_be_is_one_sentence(
    name: str, environment: dict[str, str], tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    variables = {"DEMO_STATE_DIR": str(tmp_path / "file"), "DEMO_REDIS_URL": "redis://127.0.0.1:9"}
    said = _fails(name, tmp_path / "log", environment | variables)
    assert said == f"{name}: {tmp_path}/file: Not a directory\n"


@pytest.mark.parametrize("name", COMMANDS)
def test_an_argument_is_refused(name: str) -> None:
    command = [sys.executable, "-m", COMMANDS[name], "foo"]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert ended.returncode == 2
    assert ended.stderr.endswith(
        f"python -m {COMMANDS[name]}: error: unrecognized arguments: foo\n"
    )


def _fails(name: str, log: Path, environment: dict[str, str]) -> str:
    with program(COMMANDS[name], log, **environment) as process:
        assert process.wait(60) == 1
    return log.read_text()
