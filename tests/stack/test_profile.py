"""`make profile`: a flame graph of a service that works, and clear sentences where none can be."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import threading
from collections.abc import Mapping
from contextlib import AbstractContextManager
from pathlib import Path

import httpx
import pytest

from stack.environment import REPOSITORY
from stack.profile import Profile, explain, find
from tests.demo_service.processes import answers, program, wait_until
from tests.stack.running import free_ports, meanwhile


@pytest.fixture
def ports() -> Mapping[str, str]:
    return free_ports()


def run(ports: Mapping[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "stack", "profile", *arguments],
        cwd=REPOSITORY,
        env={**os.environ, **ports},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def busy(url: str) -> AbstractContextManager[None]:
    def ask(over: threading.Event) -> None:
        with httpx.Client(trust_env=False) as client:
            while not over.is_set():
                client.get(url)

    return meanwhile(ask)


def test_the_flame_graph_shows_the_code_of_the_running_service(
    ports: Mapping[str, str], tmp_path: Path
) -> None:
    port = ports["PAYMENTS_PORT"]
    url = f"http://127.0.0.1:{port}"
    settings = {"PAYMENTS_PORT": port, "OTEL_SDK_DISABLED": "true"}
    with program("demo_service.payments", tmp_path / "log", **settings) as process:
        wait_until(lambda: answers(f"{url}/readyz"), "the provider")
        assert find(int(port)) == process.pid
        file = tmp_path / "deep" / "graph.svg"
        with busy(f"{url}/readyz"):
            done = run(ports, *("--service", "payments", "--seconds", "2", "--out", str(file)))
        assert (done.returncode, done.stderr) == (0, "")
        assert f"process {process.pid}" in done.stdout
        assert process.poll() is None
    graph = file.read_text()
    assert "<svg" in graph
    assert re.search(r"<title>[^<]*\(uvicorn/[^<]*\d+ samples", graph)


def test_nothing_is_found_where_nothing_listens(ports: Mapping[str, str]) -> None:
    assert find(int(ports["DEMO_PORT"])) is None


@pytest.mark.parametrize("seconds", [0, 3601])
def test_a_length_out_of_range_is_refused(seconds: int) -> None:
    with pytest.raises(ValueError, match=f"seconds must be from 1 to 3600, not {seconds}"):
        Profile(seconds=seconds)


def test_a_wrong_length_ends_in_one_sentence(ports: Mapping[str, str]) -> None:
    done = run(ports, "--seconds", "0")
    assert done.returncode == 1
    assert done.stderr == "error: seconds must be from 1 to 3600, not 0\n"


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        ("Permission Denied: Try running again with elevated permissions", "may not look into"),
        ("Error: Operation not permitted (os error 1)", "--cap-add SYS_PTRACE"),
        ("This program requires root on OSX: run it as root", "under sudo"),
        ("Error: No python\n\nCaused by:\n  0: gone", "py-spy failed: No python"),
        ("", "py-spy failed: it says nothing"),
    ],
)
def test_what_keeps_py_spy_from_its_work_is_explained(said: str, sentence: str) -> None:
    assert sentence in explain(said)
