"""The same tests on FastAPI 0.100, which has neither telemetry nor included routes of its own."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.overlay import ROOT, environment, overlay

TESTS = ("routes", "roots", "requests", "messages", "shapes", "leaving", "servers", "websocket")
# What FastAPI, Starlette or uvicorn learned later.
LATER = (
    "not included_router_holds",  # FastAPI: mounts of routers
    "not refuses_in_full",  # Starlette: refusing a handshake with a response of one's own
    "not raises_midway",  # anyio: a group of one exception is always that exception
    "not file_that_the_server_sends",  # Starlette: pathsend
    # uvicorn: hanging up on a client whose endpoint has returned without closing
    "not (ends_without_closing and returns)",
)


@pytest.mark.slow
@pytest.mark.proves("Requests: route", "FastAPI 0.100 with the libraries of its time")
def test_what_holds_on_todays_fastapi_holds_on_that_of_2023() -> None:
    packages = environment(overlay(ROOT / "requirements" / "fastapi-0.100.lock"))
    told = "import fastapi, starlette; print(fastapi.__version__, starlette.__version__)"
    run = [sys.executable, "-c", told]
    versions = subprocess.run(run, env=packages, capture_output=True, text=True, check=True).stdout
    assert versions.split() == ["0.100.0", "0.27.0"]
    folder = ROOT / "tests" / "instrumentation"
    command = [
        sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider",
        "-p", "no:tests.conformance.plugin",
        "-o", "filterwarnings=",  # these libraries use what was deprecated since
        "-k", " and ".join(LATER),
        *(str(folder / f"test_{name}.py") for name in TESTS),
    ]  # fmt: skip
    done = subprocess.run(
        command, env=packages, cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout
    assert " passed" in done.stdout
    assert "skipped" not in done.stdout
