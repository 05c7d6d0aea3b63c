"""`pytest --fail-on-blocking`, run as a user runs it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

BLOCKING = """
import asyncio
import time
import unittest

import anyio
import anyio.to_thread
import pytest
import uvloop
from fastapi import FastAPI
from starlette.testclient import TestClient


def hold():
    time.sleep(0.6)  # the line


async def block():
    hold()


async def turn():
    await asyncio.sleep(0)


def test_plain():
    asyncio.run(block())


def test_uvloop():
    uvloop.run(block())


def test_own_loop():
    loop = asyncio.new_event_loop()
    loop.run_until_complete(turn())
    loop.run_until_complete(block())
    loop.close()


def test_later():
    async def main():
        await asyncio.sleep(0.02)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(block())

    asyncio.run(main())


def test_callback():
    loop = asyncio.new_event_loop()
    loop.call_later(0.1, hold)
    loop.call_later(0.9, loop.stop)
    loop.run_forever()
    loop.close()


@pytest.mark.anyio
async def test_anyio():
    hold()


@pytest.mark.asyncio
async def test_pytest_asyncio():
    hold()


class TestCase(unittest.IsolatedAsyncioTestCase):
    async def test_unittest(self):
        hold()


def test_client():
    app = FastAPI()
    app.get("/block")(block)
    with TestClient(app) as client:
        assert client.get("/block").status_code == 200


def test_failing_by_itself():
    asyncio.run(block())
    raise ZeroDivisionError
"""

HARMLESS = """
import asyncio
import time

import anyio
import anyio.to_thread
import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient


@pytest.fixture
def anyio_backend():
    return "asyncio"


async def wait():
    await asyncio.sleep(0.2)


def test_waiting():
    asyncio.run(wait())


def test_blocking_without_a_loop():
    asyncio.run(wait())
    time.sleep(0.2)


def test_blocking_in_a_thread():
    asyncio.run(asyncio.to_thread(time.sleep, 0.2))


def test_between_two_runs():
    with asyncio.Runner() as runner:
        runner.run(wait())
        time.sleep(0.2)
        runner.run(wait())


def test_synchronous_endpoint():
    app = FastAPI()
    app.get("/")(lambda: time.sleep(0.2))
    with TestClient(app) as client:
        assert client.get("/").status_code == 200


@pytest.mark.may_block
def test_allowed():
    async def block():
        time.sleep(0.2)

    asyncio.run(block())


@pytest.fixture
async def slow(anyio_backend):
    time.sleep(0.2)


@pytest.mark.anyio
async def test_fixture(slow, anyio_backend):
    await wait()
"""


def run(folder: Path, source: str, *arguments: str, **environment: str) -> tuple[int, str]:
    """Run pytest in a project of its own; its exit status and what it said."""
    (folder / "test_it.py").write_text(textwrap.dedent(source))
    (folder / "pytest.ini").write_text("[pytest]\naddopts = --strict-markers -p no:randomly\n")
    # Where CI is set, pytest tells each failure twice.
    inherited = {name: text for name, text in os.environ.items() if name != "CI"}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-rA", "-p", "no:cacheprovider", *arguments],
        cwd=folder,
        env={**inherited, **environment},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


def outcomes(said: str) -> dict[str, str]:
    found = re.findall(r"^(PASSED|FAILED|ERROR) test_it\.py::(?:\w+::)?(\w+)", said, re.MULTILINE)
    return {name: outcome for outcome, name in found}


@pytest.mark.parametrize(
    "chosen",
    [
        pytest.param("plain or anyio or client", id="some"),
        pytest.param("test", id="all", marks=pytest.mark.slow),
    ],
)
def test_every_way_to_run_a_loop_is_watched(tmp_path: Path, chosen: str) -> None:
    status, said = run(tmp_path, BLOCKING, "--fail-on-blocking", "-k", chosen)
    names = {
        name
        for name in re.findall(r"def (test_\w+)", BLOCKING)
        if any(word in name for word in chosen.split(" or "))
    }
    assert outcomes(said) == dict.fromkeys(names, "FAILED"), said
    line = BLOCKING.splitlines().index("    time.sleep(0.6)  # the line") + 1
    reports = re.findall(rf"^\d+ ms, waiting, at test_it\.py:{line} hold$", said, re.MULTILINE)
    assert (len(reports), status) == (len(names), 1), said
    assert "in block" in said


def test_a_test_that_fails_by_itself_keeps_its_reason(tmp_path: Path) -> None:
    _, said = run(tmp_path, BLOCKING, "--fail-on-blocking", "-k", "by_itself")
    assert re.search(r"^FAILED .*ZeroDivisionError", said, re.MULTILINE), said
    assert "the event loop was blocked:" in said


def test_without_the_option_nothing_is_watched(tmp_path: Path) -> None:
    _, said = run(tmp_path, BLOCKING, "-k", "test_plain or test_client")
    assert outcomes(said) == {"test_plain": "PASSED", "test_client": "PASSED"}, said


def test_what_blocks_no_loop_passes(tmp_path: Path) -> None:
    status, said = run(tmp_path, HARMLESS, "--fail-on-blocking")
    assert (set(outcomes(said).values()), status) == ({"PASSED"}, 0), said


def test_the_threshold_is_the_librarys(tmp_path: Path) -> None:
    _, said = run(
        tmp_path,
        BLOCKING,
        *("--fail-on-blocking", "-k", "test_plain"),
        INSTRUMENTATION_BLOCKING_THRESHOLD="10s",
    )
    assert outcomes(said) == {"test_plain": "PASSED"}, said


@pytest.mark.parametrize("value", ["0", "soon"])
def test_a_wrong_threshold_is_one_sentence(tmp_path: Path, value: str) -> None:
    environment = {"INSTRUMENTATION_BLOCKING_THRESHOLD": value}
    status, said = run(tmp_path, BLOCKING, "--fail-on-blocking", **environment)
    assert status == pytest.ExitCode.USAGE_ERROR
    assert re.search(r"^ERROR: --fail-on-blocking: INSTRUMENTATION_BLOCKING_", said, re.MULTILINE)


def test_it_costs_nothing_unless_asked_for(tmp_path: Path) -> None:
    source = """
    import sys

    def test_it():
        assert "instrumentation.pytest_plugin" in sys.modules
        heavy = {"opentelemetry.sdk", "starlette", "prometheus_client", "instrumentation.settings"}
        assert not heavy & set(sys.modules)
    """
    only = ("-p", "no:anyio", "-p", "no:asyncio", "-p", "no:locust", "-p", "no:timeout")
    _, said = run(tmp_path, source, *only)
    assert outcomes(said) == {"test_it": "PASSED"}, said
