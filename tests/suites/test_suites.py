"""The frameworks' own suites run with every application instrumented, and nothing changes."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.suites.suite import Run, Suite

pytestmark = [pytest.mark.slow, pytest.mark.timeout(3600)]

STARLETTE = Suite("starlette", "1.10.0")
FASTAPI = Suite("fastapi", "0.165.0", ("-p", "no:sugar", "-n", "2"))

STARLETTES_OWN = "tests/middleware/test_opentelemetry.py"
"""Its applications have Starlette's OpenTelemetryMiddleware, which `instrument()` refuses."""

FASTAPIS_OWN = ("tests/test_telemetry", "tests/test_tutorial/test_opentelemetry")
"""They expect FastAPI's own server span, where we have ours."""


def nothing_breaks(suite: Suite, folder: Path, *without: str) -> None:
    """The suite does with every application instrumented what it does without."""
    runs: dict[str, Run] = {}
    for mode in ("no", "yes"):
        (folder / mode).mkdir()
        ignored = [f"--ignore={path}" for path in without]
        runs[mode] = suite.run(folder / mode, mode, "tests", *ignored)
    plain, ours = runs["no"], runs["yes"]
    assert len(plain.outcomes) > 1000, plain.said
    assert plain.spans == 0
    assert ours.spans > 500
    assert ours.outcomes.keys() == plain.outcomes.keys(), ours.said
    assert ours.failed() - plain.failed() == set(), ours.said
    assert ours.errors == {}


@pytest.mark.proves("What must be shown", "Starlette's own suite, every application instrumented")
def test_starlettes_suite(tmp_path: Path) -> None:
    nothing_breaks(STARLETTE, tmp_path, STARLETTES_OWN)


@pytest.mark.proves("What must be shown", "FastAPI's own suite, every application instrumented")
def test_fastapis_suite(tmp_path: Path) -> None:
    nothing_breaks(FASTAPI, tmp_path, *FASTAPIS_OWN)


def test_fastapis_tests_of_its_own_telemetry_with_it_kept(tmp_path: Path) -> None:
    run = FASTAPI.run(tmp_path, "keep", *FASTAPIS_OWN)
    assert len(run.outcomes) > 200, run.said
    assert run.spans > 200
    assert run.errors == {}
