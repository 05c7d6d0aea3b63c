"""Another project's own suite, from its source package, in an environment with its own pins."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from stack.binaries import cache
from stack.environment import REPOSITORY

PLUGIN = Path(__file__).parent / "every_app_instrumented.py"
LOCKS = REPOSITORY / "requirements" / "suites"


@dataclass
class Run:
    """What became of one run of a suite.

    Attributes:
        outcomes: `passed`, `failed` or `skipped` for each test.
        spans: how many spans the library ended meanwhile.
        errors: the library's internal errors by their part.
        said: what pytest printed.
    """

    said: str
    outcomes: dict[str, str] = field(default_factory=dict)
    spans: int = 0
    errors: dict[str, float] = field(default_factory=dict)

    def failed(self) -> set[str]:
        return {test for test, outcome in self.outcomes.items() if outcome == "failed"}


@dataclass(frozen=True)
class Suite:
    """One project's suite.

    Attributes:
        name: of the project, of its locks in `requirements/suites`.
        version: of its source package.
        arguments: what pytest is told beside the tests.
    """

    name: str
    version: str
    arguments: tuple[str, ...] = ()

    def run(self, folder: Path, mode: str, *arguments: str) -> Run:
        """Run the suite; `mode` is the plugin's, and `folder` an empty one for its files."""
        home = self._prepared()
        python = home / "venv" / "bin" / "python"
        library, plugin, results = (folder / name for name in ("library", "plugin", "results"))
        _do(*_pip(python), "install", "--no-deps", "--no-build-isolation",
            "--target", library, REPOSITORY)  # fmt: skip
        plugin.mkdir()
        shutil.copy(PLUGIN, plugin)
        results.mkdir()
        done = subprocess.run(
            [
                python, "-m", "pytest", "-q", "--tb=short",
                "-p", "no:cacheprovider", "-p", PLUGIN.stem,
                *self.arguments, *(arguments or ("tests",)),
            ],
            cwd=home / f"{self.name}-{self.version}",
            env={
                **{k: v for k, v in os.environ.items() if not k.startswith(("OTEL_", "PYTEST_"))},
                "PYTHONPATH": f"{library}{os.pathsep}{plugin}",
                "SUITE_FOLDER": str(results),
                "SUITE_INSTRUMENT": mode,
            },
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )  # fmt: skip
        run = Run(done.stdout)
        for path in results.glob("*.json"):
            found = json.loads(path.read_text())
            run.outcomes |= found["outcomes"]
            run.spans += found["spans"]
            run.errors |= found["errors"]
        return run

    def _prepared(self) -> Path:
        """The folder with the suite and its environment; made once in the user's cache."""
        locks = [LOCKS / f"{self.name}.lock", LOCKS / f"{self.name}-source.lock"]
        digest = hashlib.sha256(b"".join(lock.read_bytes() for lock in locks)).hexdigest()[:12]
        version = f"{sys.version_info.major}.{sys.version_info.minor}"
        home = cache() / "suites" / f"{self.name}-{self.version}-{version}-{digest}"
        with _alone(home):
            if not (home / "ready").exists():
                self._prepare(home, *locks)
        return home

    def _prepare(self, home: Path, lock: Path, source: Path) -> None:
        python = home / "venv" / "bin" / "python"
        pip = _pip(python)
        _do(sys.executable, "-m", "venv", "--clear", home / "venv")
        _do(*pip, "install", "--require-hashes", "-r", lock)
        _do(*pip, "download", "--no-deps", "--no-binary", ":all:", "--no-build-isolation",
            "--require-hashes", "-r", source, "-d", home)  # fmt: skip
        with tarfile.open(home / f"{self.name}-{self.version}.tar.gz") as archive:
            archive.extractall(home, filter="data")
        (home / "ready").touch()


@contextmanager
def _alone(home: Path) -> Iterator[None]:
    """Keep other processes from preparing the same folder."""
    home.mkdir(parents=True, exist_ok=True)
    with (home / "lock").open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def _pip(python: Path) -> tuple[str | Path, ...]:
    return (python, "-m", "pip", "--quiet", "--disable-pip-version-check")


def _do(*command: str | Path) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{' '.join(map(str, command))}: {done.stdout}{done.stderr}"
