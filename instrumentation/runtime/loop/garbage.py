"""How long the garbage collector kept everything waiting."""

from __future__ import annotations

import gc
from collections import deque
from collections.abc import Iterable
from threading import get_ident
from time import perf_counter, thread_time
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from instrumentation.runtime.loop.observer import Observer

_LONG_SECONDS: Final = 0.005


class Pause(NamedTuple):
    """One long run of the collector.

    Attributes:
        thread: the one that it ran in.
        start, end: in the clock of `time.perf_counter`.
        cpu: seconds of CPU that it burnt. A run that got no CPU lasts long, and is not to blame.
    """

    thread: int
    start: float
    end: float
    cpu: float

    def within(self, start: float, end: float) -> float:
        """The seconds of CPU burnt between the two, as if it had burnt evenly."""
        overlap = max(0.0, min(self.end, end) - max(self.start, start))
        return overlap * min(1.0, self.cpu / (self.end - self.start))


class Pauses:
    """Notes each run of the collector, which any allocation may start.

    So nothing here takes a lock, that of a metric included: the code that the collector
    interrupts may hold it.
    """

    def __init__(self) -> None:
        self._new: deque[tuple[int, float]] = deque(maxlen=10_000)
        self._long: deque[Pause] = deque(maxlen=64)
        self._began = self._cpu = 0.0

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
        """CPU seconds of long runs between `start` and `end`; in `thread` only, if it is given.

        A run in another thread keeps the interpreter's lock, so it holds up what wants to run;
        code that sleeps meanwhile would have slept anyway.
        """
        return sum(
            pause.within(start, end)
            for pause in tuple(self._long)
            if thread in (None, pause.thread)
        )

    def _note(self, phase: str, info: dict[str, int]) -> None:
        now = perf_counter()
        if phase == "start":
            self._began = now
            self._cpu = thread_time() if info["generation"] else 0.0
            return
        generation, began = info["generation"], self._began
        # A service with many routers may have a short run for every request.
        self._new.append((generation, now - began))
        # The youngest generation is too small for a long run, and has most of the runs.
        if generation and now - began > _LONG_SECONDS:
            cpu = thread_time() - self._cpu
            if cpu > _LONG_SECONDS:
                self._long.append(Pause(get_ident(), began, now, cpu))
