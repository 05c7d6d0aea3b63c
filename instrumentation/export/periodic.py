"""What is done every so often for as long as a process runs."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from threading import current_thread

from opentelemetry.context import (
    _SUPPRESS_INSTRUMENTATION_KEY,  # the SDK's own readers use it; there is no public name
    attach,
    set_value,
)

from instrumentation.errors import InternalErrors
from instrumentation.export import forks


class Periodic:
    """Calls `work` every `seconds` in a thread of its own, whose calls nobody traces.

    A process that is forked gets such a thread too if its parent had one.

    Arguments:
        name: the thread's.
        work: returns whether it succeeded.
        seconds: between two calls.
    """

    def __init__(
        self, name: str, work: Callable[[], bool], seconds: float, errors: InternalErrors
    ) -> None:
        self._name = name
        self._work = work
        self._seconds = seconds
        self._errors = errors
        self._thread: threading.Thread | None = None
        self._stopped = False
        self._empty()
        forks.in_child(self._after_fork)

    def start(self) -> None:
        """Start the thread, unless it runs or was stopped."""
        with self._changed:
            if self._thread is None and not self._stopped:
                self._thread = threading.Thread(target=self._run, name=self._name, daemon=True)
                self._thread.start()

    def flush(self, timeout: float) -> bool:
        """Have `work` done once more; True if it succeeded within `timeout` seconds."""
        self.start()
        deadline = time.monotonic() + timeout
        with self._changed:
            self._asked += 1
            until = self._asked
            self._wake.set()
            while self._answered < until:
                left = deadline - time.monotonic()
                if left <= 0 or self._stopped:
                    return False
                self._changed.wait(left)
            return self._succeeded

    def stop(self) -> None:
        """End the thread after the call that it is in, for good; nobody waits for that."""
        self._stopped = True
        self._thread = None
        self._wake.set()

    def _run(self) -> None:
        attach(set_value(_SUPPRESS_INSTRUMENTATION_KEY, True))
        while True:
            self._wake.wait(self._seconds)
            self._wake.clear()
            if self._thread is not current_thread():
                return
            self._once()

    def _once(self) -> None:
        asked, succeeded = self._asked, False
        try:
            succeeded = self._work()
        except Exception as error:
            self._errors.report("export", error)
        with self._changed:
            self._answered, self._succeeded = asked, succeeded
            self._changed.notify_all()

    def _empty(self) -> None:
        self._asked = 0
        self._answered = 0
        self._succeeded = True
        self._wake = threading.Event()
        self._changed: threading.Condition = threading.Condition()

    def _after_fork(self) -> None:
        running = self._thread is not None
        self._thread = None
        self._empty()
        if running:
            self.start()
