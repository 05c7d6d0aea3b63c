"""The directory through which the workers of a service tell their metrics together.

prometheus-client calls it multiprocess mode: where PROMETHEUS_MULTIPROC_DIR is set, each process
writes its metrics to files there, and whoever is scraped adds them up.
"""

from __future__ import annotations

import fcntl
import multiprocessing
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Any

from prometheus_client import values
from prometheus_client.metrics_core import Metric
from prometheus_client.multiprocess import MultiProcessCollector

from instrumentation.environment import wrong
from instrumentation.export import forks, liveness, merge

VARIABLE = "PROMETHEUS_MULTIPROC_DIR"

_MASTERS, _LOCK = "masters", ".lock"
_LOCK_SECONDS = 5.0


def is_active() -> bool:
    """Whether prometheus-client writes to files: decided when it is imported."""
    return bool(getattr(values.ValueClass, "_multiprocess", False))


def in_memory() -> bool:
    """Whether values are this process's alone, so that they may wait until somebody reads them."""
    return getattr(values.ValueClass, "_multiprocess", None) is False


def from_env() -> Directory | None:
    """The directory that PROMETHEUS_MULTIPROC_DIR names, or None where it is unset.

    Raises:
        ValueError: it is no directory to which this process can write, or was set too late.
    """
    path = os.environ.get(VARIABLE)
    if path is None and not is_active():
        return None
    if not path or not _is_writable(Path(path)):
        raise wrong(VARIABLE, "an existing directory that this process may write to", path)
    if not is_active():
        raise wrong(VARIABLE, "set before prometheus_client is imported", path)
    return _directory(path)


def _is_writable(path: Path) -> bool:
    """Whether a file can be made there: root is told that it may write where nobody can."""
    try:
        with TemporaryFile(dir=path):
            return True
    except OSError:
        return False


@lru_cache
def _directory(path: str) -> Directory:
    """One object a process: its lock is the process's, and the first to close it gives it up."""
    return Directory(Path(path).absolute())


def master() -> int:
    """The process that the workers of this service have in common, this one included.

    Servers that start workers by `multiprocessing` (uvicorn, hypercorn, granian) are found
    through it. gunicorn forks its own, and says in each who it is.
    """
    parent = multiprocessing.parent_process()
    if parent is not None and parent.pid is not None:
        return parent.pid
    if "gunicorn" in os.environ.get("SERVER_SOFTWARE", ""):
        return os.getppid()
    return os.getpid()


class Directory:
    """The files of every worker, read and tidied by one process at a time."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._turn = threading.Lock()
        forks.in_child(self._after_fork)

    def join(self, pid: int, *, is_master: bool = False) -> None:
        """Let the workers of master `pid` write here, and empty the directory if it is the first.

        What was left by workers of masters that are gone goes; what a running process writes
        stays. A process that comes while a master runs, such as one more worker, a shell, or
        gunicorn's next master beside its last one, adds to what is there; `is_master` lists it
        too.
        """
        with self._alone():
            listed = self._read_masters()
            masters = [each for each in listed if liveness.is_running(each)]
            if not masters:
                self._empty()
            me = liveness.identity(pid)
            if me and me not in masters and (is_master or not masters):
                masters.append(me)
            self._write_masters(masters)
            self._forget_namesake()

    def bury(self) -> None:
        """Merge what dead processes left."""
        with self._alone():
            merge.bury(self.path)

    def collect(self) -> list[Metric]:
        """The metrics of every process, dead ones included but for their live gauges."""
        with self._alone():
            merge.bury(self.path)
            found = [str(file.path) for file in merge.files(self.path) if _size(file.path)]
            added_up: Any = MultiProcessCollector.merge
            return list(added_up(found))

    def _empty(self) -> None:
        for path in self.path.glob("*.corrupt"):
            path.unlink()
        for file in merge.files(self.path):
            if not (file.pid and liveness.writes(file.pid, file.path)):
                file.path.unlink(missing_ok=True)

    def _forget_namesake(self) -> None:
        """Remove the live gauges of a dead process that had our number: they'd count as ours."""
        for path in self.path.glob(f"gauge_live*_{os.getpid()}.db"):
            if not liveness.maps(os.getpid(), path):
                path.unlink(missing_ok=True)

    def _read_masters(self) -> list[str]:
        try:
            return (self.path / _MASTERS).read_text().split()
        except FileNotFoundError:
            return []

    def _write_masters(self, masters: list[str]) -> None:
        """Replace the file: a master that is root leaves one that its workers can't write to."""
        written = self.path / f"{_MASTERS}.tmp"
        written.unlink(missing_ok=True)
        written.write_text("\n".join(masters))
        written.rename(self.path / _MASTERS)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Hold the directory's lock, which ends with its process.

        Raises:
            TimeoutError: another process holds it for longer than it could need it.
        """
        end = time.monotonic() + _LOCK_SECONDS
        if not self._turn.acquire(timeout=_LOCK_SECONDS):
            raise _locked(self.path)
        try:
            with open(self.path / _LOCK, "a", opener=_for_everyone) as lock:
                while not _taken(lock):
                    if time.monotonic() > end:
                        raise _locked(self.path)
                    time.sleep(0.005)
                yield
        finally:
            self._turn.release()

    def _after_fork(self) -> None:
        """A child has the lock of none of its parent's threads, and no gauges yet."""
        self._turn = threading.Lock()
        for path in self.path.glob(f"gauge_live*_{os.getpid()}.db"):
            path.unlink(missing_ok=True)


def _for_everyone(path: str, flags: int) -> int:
    """Open the lock so that others can: the directory says who may, and workers may be others."""
    descriptor = os.open(path, flags, 0o666)
    if os.fstat(descriptor).st_uid == os.geteuid():
        os.fchmod(descriptor, 0o666)  # the umask has taken from it
    return descriptor


def _size(path: Path) -> int:
    """The size of a file; 0 for one that is being made, or was of a live gauge that has gone."""
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def _taken(lock: IO[str]) -> bool:
    """Try to take the lock: of the process, so a child that is forked meanwhile lacks it."""
    try:
        fcntl.lockf(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _locked(path: Path) -> TimeoutError:
    return TimeoutError(f"another process has locked {path} for more than {_LOCK_SECONDS:g} s")
