"""Long work in a thread, without the event loop having to wait for it."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from typing import Final, TypeVar

T = TypeVar("T")

_WORK_SECONDS: Final = 0.001
_PAUSE_SECONDS: Final = 0.0001


class Pauses:
    """Tells when a pause is due, a millisecond after the last one.

    A thread that has the interpreter gives it up after five milliseconds at the earliest, and the
    loop would wait for it. It has to sleep for a moment: after a `sleep(0)` it is awake again
    before the loop's thread is.
    """

    def __init__(self) -> None:
        self._since = time.perf_counter()

    def due(self) -> bool:
        """Whether the work has gone on for long enough."""
        return time.perf_counter() - self._since > _WORK_SECONDS

    def take(self) -> None:
        """Let others go on."""
        time.sleep(_PAUSE_SECONDS)
        self._since = time.perf_counter()


def between(things: Iterable[T]) -> Iterator[T]:
    """These things, with a pause between any two of them where one is due."""
    pauses = Pauses()
    for one in things:
        if pauses.due():
            pauses.take()
        yield one
