"""Other versions of some packages, put before those of the environment that runs the tests."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

from stack.binaries import cache

ROOT = Path(__file__).parents[1]


def overlay(lock: Path) -> Path:
    """A folder with what `lock` names, for PYTHONPATH; installed once into the user's cache.

    Raises:
        CalledProcessError: it can't be installed; its output says why.
    """
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    digest = hashlib.sha256(lock.read_bytes()).hexdigest()[:12]
    folder = cache() / "python" / f"{lock.stem}-{version}-{digest}"
    folder.parent.mkdir(parents=True, exist_ok=True)
    with (folder.parent / "lock").open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        if not folder.exists():
            unfinished = folder.with_suffix(".unfinished")
            shutil.rmtree(unfinished, ignore_errors=True)
            subprocess.run(_install(lock, unfinished), check=True)
            unfinished.rename(folder)
    return folder


def _install(lock: Path, folder: Path) -> list[str | Path]:
    """The installer of set-up: uv where it is installed, pip elsewhere. Both check the hashes."""
    uv = shutil.which("uv")
    tool: list[str | Path]
    if uv is None:
        tool = [sys.executable, "-m", "pip", "install"]
    else:
        tool = [uv, "pip", "install", "--python", sys.executable]
    return [*tool, "--quiet", "--no-deps", "--require-hashes", "--target", folder, "-r", lock]


def environment(*folders: Path) -> dict[str, str]:
    """The environment in which Python finds the packages of `folders` first."""
    return {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, folders))}
