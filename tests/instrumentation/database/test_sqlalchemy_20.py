"""The same tests on SQLAlchemy 2.0, the older line that many services still run."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.overlay import ROOT, environment, overlay

TESTS = (
    "test_statements.py",
    "test_statements_postgresql.py",
    "test_synchronous_postgresql.py",
    "test_pools.py",
    "test_watched_pools.py",
    "test_pools_postgresql.py",
)


@pytest.mark.slow
@pytest.mark.proves("Database", "SQLAlchemy 2.0 and 2.1")
def test_what_holds_on_sqlalchemy_21_holds_on_20() -> None:
    packages = environment(overlay(ROOT / "requirements" / "sqlalchemy-2.0.lock"))
    run = [sys.executable, "-c", "import sqlalchemy; print(sqlalchemy.__version__)"]
    version = subprocess.run(run, env=packages, capture_output=True, text=True, check=True).stdout
    assert version.startswith("2.0.")
    folder = ROOT / "tests" / "instrumentation" / "database"
    tests = [str(folder / name) for name in TESTS]
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *tests]
    done = subprocess.run(
        command, env=packages, cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout
    assert " passed" in done.stdout
    assert "skipped" not in done.stdout
