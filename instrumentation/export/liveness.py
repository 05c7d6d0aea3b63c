"""Which processes still run, and which of them still write to a file."""

from __future__ import annotations

import os
import time
from pathlib import Path

_OPENING_SECONDS = 10.0
_PROC = Path("/proc")


def running(pid: int) -> bool:
    """Whether a process `pid` runs; one that has ended and waits for its parent does not."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return _state(pid)[:1] != ["Z"]


def identity(pid: int) -> str | None:
    """What tells the process `pid` from a later one with the same number; None if none runs.

    The second part is the time at which it began, on systems that have `/proc`.
    """
    if not running(pid):
        return None
    return ":".join([str(pid), *_state(pid)[19:20]])


def is_running(identified: str) -> bool:
    """Whether the process that `identity` described still runs."""
    pid = identified.partition(":")[0]
    return pid.isdecimal() and identity(int(pid)) == identified


def writes(pid: int, path: Path) -> bool:
    """Whether `pid` runs and writes to `path`.

    Numbers of processes come again, and in a container soon: a file with the number of a running
    process may be that of a dead one. A file that was made just now counts as written to: its
    writer may be about to map it.
    """
    if not running(pid):
        return False
    if maps(pid, path):
        return True
    try:
        return time.time() - path.stat().st_mtime < _OPENING_SECONDS
    except FileNotFoundError:
        return False


def maps(pid: int, path: Path) -> bool:
    """Whether the process `pid` has `path` in its memory, as prometheus-client's writers have.

    True where that can't be known: the process is another user's, or there is no `/proc`.
    """
    try:
        mapped = (_PROC / str(pid) / "maps").read_text(errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return not (_PROC / "self").exists()
    except PermissionError:
        return True
    return any(line.endswith(f"/{path.name}") for line in mapped.splitlines())


def _state(pid: int) -> list[str]:
    """The fields of `/proc/<pid>/stat` from the third on: the name before may hold anything."""
    try:
        return (_PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []
