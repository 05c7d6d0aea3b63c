"""Long work in a thread, without the event loop having to wait for it."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from typing import Final, TypeVar

T = TypeVar("T")

_HURRIED: Final = (0.001, 0.0001)
_PATIENT: Final = (0.0002, 0.002)
"""Seconds of work without a pause, and of a pause."""


class Pauses:
    """Tells when a pause is due, some time after the last one.

    A thread that has the interpreter gives it up after five milliseconds at the earliest, and the
    loop would wait for it. It has to sleep for a moment: after a `sleep(0)` it is awake again
    before the loop's thread is.

    Arguments:
        patient: work for a tenth of the time. In one go it would take half of a busy loop's time
            while it lasts, and what comes meanwhile would wait until the loop has caught up.
    """

    def __init__(self, *, patient: bool = False) -> None:
        self._work, self._pause = _PATIENT if patient else _HURRIED
        self._since = time.perf_counter()

    def due(self) -> bool:
        """Whether the work has gone on for long enough."""
        return time.perf_counter() - self._since > self._work

    def take(self) -> None:
        """Let others go on."""
        time.sleep(self._pause)
        self._since = time.perf_counter()


def between(things: Iterable[T], *, patient: bool) -> Iterator[T]:
    """These things, with a pause between any two of them where one is due, see `Pauses`."""
    pauses = Pauses(patient=patient)
    for one in things:
        if pauses.due():
            pauses.take()
        yield one
