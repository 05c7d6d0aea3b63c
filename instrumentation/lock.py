"""A lock for what the whole process shares."""

from __future__ import annotations

import threading

from instrumentation.export import forks


class SharedLock:
    """A lock that a forked child finds open, whichever thread of its parent held it.

    There is no way to take its hook back, so there is one for a module, and none for each object.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        forks.in_child(self._open)

    def _open(self) -> None:
        self._lock = threading.Lock()

    def __enter__(self) -> None:
        self._lock.acquire()

    def __exit__(self, *exc_info: object) -> None:
        self._lock.release()
