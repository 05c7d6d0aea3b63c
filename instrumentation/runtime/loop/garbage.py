"""How long the garbage collector kept everything waiting."""

from __future__ import annotations

import gc
from collections import deque
from collections.abc import Iterable
from threading import get_ident
from time import perf_counter
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from instrumentation.runtime.loop.observer import Observer

_LONG_SECONDS: Final = 0.005


class Pause(NamedTuple):
    """One long run of the collector, in the clock of `time.perf_counter`."""

    thread: int
    start: float
    end: float


class Pauses:
    """Notes each run of the collector, which any allocation may start.

    So nothing here takes a lock, that of a metric included: the code that the collector
    interrupts may hold it.
    """

    def __init__(self) -> None:
        self._new: deque[tuple[int, float]] = deque(maxlen=10_000)
        self._long: deque[Pause] = deque(maxlen=64)
        self._began = 0.0

    def __bool__(self) -> bool:
        return bool(self._new)

    def start(self) -> None:
        """Take note from now on."""
        if self._note not in gc.callbacks:
            gc.callbacks.append(self._note)

    def stop(self) -> None:
        """Take note no more."""
        if self._note in gc.callbacks:
            gc.callbacks.remove(self._note)

    def tell(self, observers: Iterable[Observer]) -> None:
        """Tell each observer of what came since the last call."""
        found: dict[int, list[float]] = {}
        while self._new:
            generation, seconds = self._new.popleft()
            found.setdefault(generation, []).append(seconds)
        for generation, pauses in found.items():
            for observer in observers:
                observer.collected(generation, pauses)

    def within(self, start: float, end: float, thread: int | None = None) -> float:
        """Seconds of long runs between `start` and `end`; in `thread` only, if it is given.

        A run in another thread keeps the interpreter's lock, so it holds up what wants to run;
        code that sleeps meanwhile would have slept anyway.
        """
        return sum(
            max(0.0, min(pause.end, end) - max(pause.start, start))
            for pause in tuple(self._long)
            if thread in (None, pause.thread)
        )

    def _note(self, phase: str, info: dict[str, int]) -> None:
        now = perf_counter()
        if phase == "start":
            self._began = now
            return
        began = self._began
        # A service with many routers may have a short run for every request.
        self._new.append((info["generation"], now - began))
        if now - began > _LONG_SECONDS:
            self._long.append(Pause(get_ident(), began, now))
