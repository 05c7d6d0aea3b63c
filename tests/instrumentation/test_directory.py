"""PROMETHEUS_MULTIPROC_DIR: who may use it, and what a wrong one says."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from instrumentation.export import directory, liveness
from instrumentation.export.directory import Directory
from tests.instrumentation.test_merge import dead, sleeper, told, write

__all__ = ["dead", "sleeper"]

INSTRUMENT = """
from starlette.applications import Starlette
from instrumentation import Settings, instrument
instrument(Starlette(), Settings.from_env(traces_exporter="none"))
"""


def run(program: str, **environment: str) -> subprocess.CompletedProcess[str]:
    inherited = {k: v for k, v in os.environ.items() if not k.startswith(("OTEL_", "PROMETHEUS_"))}
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)],
        env={**inherited, **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize("value", ["{}/missing", "{}/file", "/proc", ""])
def test_a_directory_that_is_none_is_one_clear_error(tmp_path: Path, value: str) -> None:
    (tmp_path / "file").touch()
    value = value.format(tmp_path)
    said = run(INSTRUMENT, PROMETHEUS_MULTIPROC_DIR=value)
    assert said.stderr.splitlines()[-1] == (
        "ValueError: PROMETHEUS_MULTIPROC_DIR must be an existing directory that this process may "
        f"write to, got {value!r}"
    )


def test_a_directory_that_is_named_too_late_is_an_error(tmp_path: Path) -> None:
    said = run(
        f"""
        import os, prometheus_client
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = {str(tmp_path)!r}
        {textwrap.indent(INSTRUMENT, " " * 8).lstrip()}
        """
    )
    assert "must be set before prometheus_client is imported" in said.stderr


@pytest.mark.proves("Processes", "PROMETHEUS_MULTIPROC_DIR and OTLP push at once are a ValueError")
@pytest.mark.parametrize(
    ("argument", "variable"), [("", "otlp"), (", metrics_exporter='otlp'", "prometheus")]
)
def test_sending_what_is_shared_already_is_an_error(
    tmp_path: Path, argument: str, variable: str
) -> None:
    program = INSTRUMENT.replace("))", f"{argument}))")
    said = run(program, PROMETHEUS_MULTIPROC_DIR=str(tmp_path), OTEL_METRICS_EXPORTER=variable)
    assert said.stderr.splitlines()[-1] == (
        "ValueError: OTEL_METRICS_EXPORTER must be prometheus or none where "
        "PROMETHEUS_MULTIPROC_DIR is set: all would be counted twice, got 'otlp'"
    )
    assert list(tmp_path.iterdir()) == []


def test_the_first_master_empties_the_directory(tmp_path: Path, dead: int) -> None:
    write(tmp_path, "counter", dead, 5)
    Directory(tmp_path).join(os.getpid())
    assert told(tmp_path) == {}


def test_who_comes_while_the_master_runs_adds_to_what_is_there(
    tmp_path: Path, dead: int, sleeper: int
) -> None:
    Directory(tmp_path).join(sleeper)
    write(tmp_path, "counter", dead, 5)
    Directory(tmp_path).join(sleeper)
    Directory(tmp_path).join(os.getpid())
    assert told(tmp_path) == {"a_total": 5}


def test_a_master_that_replaces_another_keeps_what_is_there(tmp_path: Path, dead: int) -> None:
    old = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    Directory(tmp_path).join(old.pid, is_master=True)
    write(tmp_path, "counter", dead, 5)
    Directory(tmp_path).join(os.getpid(), is_master=True)
    old.communicate(b"\n")
    Directory(tmp_path).join(os.getpid())
    assert told(tmp_path) == {"a_total": 5}


def test_workers_of_a_master_that_is_root_can_use_what_it_made(tmp_path: Path) -> None:
    before = os.umask(0o077)
    try:
        Directory(tmp_path).join(os.getpid(), is_master=True)
    finally:
        os.umask(before)
    assert (tmp_path / ".lock").stat().st_mode & 0o777 == 0o666
    made = (tmp_path / "masters").stat().st_ino
    Directory(tmp_path).join(os.getpid())
    assert (tmp_path / "masters").stat().st_ino != made, "replaced, not written to"


def test_a_later_process_with_the_masters_number_is_another(tmp_path: Path, dead: int) -> None:
    Directory(tmp_path).join(os.getpid())
    (tmp_path / "masters").write_text(f"{os.getpid()}:1")  # began at another time
    write(tmp_path, "counter", dead, 5)
    Directory(tmp_path).join(os.getpid())
    assert told(tmp_path) == {}


def test_gauges_of_a_dead_process_with_our_number_are_not_ours(tmp_path: Path) -> None:
    shared = Directory(tmp_path)
    shared.join(os.getpid())
    write(tmp_path, "gauge_livesum", os.getpid(), 3, "g")
    write(tmp_path, "counter", os.getpid(), 3)
    shared.join(os.getpid())
    assert [path.name for path in tmp_path.glob("*.db")] == [f"counter_{os.getpid()}.db"]


def test_a_lock_that_another_process_keeps_is_not_waited_for_without_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(directory, "_LOCK_SECONDS", 0.05)
    holder = subprocess.Popen(
        [sys.executable, "-c", "import fcntl, sys; f = open(sys.argv[1], 'a');"
         "fcntl.lockf(f, fcntl.LOCK_EX); print('held', flush=True); input()",
         str(tmp_path / ".lock")],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )  # fmt: skip
    assert holder.stdout is not None
    assert holder.stdout.readline() == b"held\n"
    with pytest.raises(TimeoutError, match="another process has locked"):
        Directory(tmp_path).collect()
    holder.communicate(b"\n")
    assert told(tmp_path) == {}


def test_a_process_that_has_ended_and_waits_for_its_parent_is_not_running() -> None:
    process = subprocess.Popen([sys.executable, "-c", ""])
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    assert not liveness.running(process.pid)
    process.wait()


TWO_REGISTRIES = """
from fastapi import FastAPI
from prometheus_client import CollectorRegistry
from starlette.testclient import TestClient
from instrumentation import Settings, instrument

apps = [FastAPI(), FastAPI()]
for app in apps:
    app.get("/ok")(lambda: "ok")
    instrument(app, Settings(traces_exporter="none"), registry=CollectorRegistry())
clients = [TestClient(app) for app in apps]
for client in clients * 2:
    client.get("/ok")
for client in clients:
    for line in client.get("/metrics").text.splitlines():
        if line.startswith("http_server_request_duration_seconds_count"):
            print(line.rpartition(" ")[2])
"""


def test_two_registries_of_a_process_do_not_overwrite_each_other(tmp_path: Path) -> None:
    said = run(TWO_REGISTRIES, PROMETHEUS_MULTIPROC_DIR=str(tmp_path))
    assert said.stdout == "4.0\n4.0\n", said.stderr
