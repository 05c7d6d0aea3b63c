"""Times in which the event loop could not turn, whatever its code did."""

from __future__ import annotations

import sys
import time
from collections import deque
from typing import Final, NamedTuple

from instrumentation.runtime.loop.stretch import Block
from instrumentation.runtime.loop.usage import Interruptions, ThreadUsage

STOPPED: Final = "stopped"
"""The process did not run: SIGSTOP, a frozen container, a suspended machine."""

STARVED: Final = "starved"
"""It could have run and got no CPU."""

LOCKED: Final = "locked"
"""Another thread kept the interpreter's lock."""

_REMEMBERED: Final = 64
_NOISE_SECONDS: Final = 0.005
_STOP_SECONDS: Final = 0.02
"""A shorter stop is no matter, and the kernel's figures for it too coarse."""


def patience() -> float:
    """Seconds after which somebody kept the interpreter's lock who was asked for it.

    A thread that wants the lock asks for it once an interval.
    """
    return 3 * sys.getswitchinterval()


class Span(NamedTuple):
    """From one moment to another, with the CPU that the process burnt meanwhile."""

    start: float
    end: float
    cpu: float

    def within(self, start: float, end: float) -> float:
        """The seconds of it between `start` and `end`."""
        return max(0.0, min(self.end, end) - max(self.start, start))


class Standstills:
    """Remembers why the watchdog's thread woke late: what kept it out kept the loop out too.

    It belongs to the thread that makes it.
    """

    def __init__(self) -> None:
        self._stops: deque[Span] = deque(maxlen=_REMEMBERED)
        self._holds: deque[Span] = deque(maxlen=_REMEMBERED)
        self._delays: deque[Span] = deque(maxlen=_REMEMBERED)
        self._interruptions = Interruptions()
        self._thread = ThreadUsage()
        self._starved = self._thread.read().starved

    def woke(self, asked: float, now: float, cpu: float) -> float | None:
        """Take note of a sleep that ended at `now` and should have at `asked`.

        Arguments:
            cpu: what the process had burnt a moment before `asked`, in seconds.

        Answers since when somebody kept the interpreter's lock so that nobody could look, or
        None.
        """
        late = now - asked
        waited = self._interruptions.waited()
        starved = 0.0
        if late > _NOISE_SECONDS:  # seldom: to read it is a system call
            starved = self._waited_for_cpu(late)
            self._delay(now - starved, starved)
        span = Span(asked, now, time.process_time() - cpu)
        if late > patience() and waited >= (late - starved) / 2:
            self._holds.append(span)
            return asked + patience()
        if late - starved - waited > _STOP_SECONDS and span.cpu < late / 4:
            self._stops.append(span)
        return None

    def worked(self, start: float) -> None:
        """Take note that the watchdog worked from `start` until now."""
        seconds = time.perf_counter() - start
        if seconds > _NOISE_SECONDS:
            self._delay(start, self._waited_for_cpu(seconds))

    def _waited_for_cpu(self, most: float) -> float:
        """Seconds without CPU since the last call; not what came before the last `most` seconds."""
        before, self._starved = self._starved, self._thread.read().starved
        return min(most, self._starved - before)

    def _delay(self, start: float, starved: float) -> None:
        if starved > _NOISE_SECONDS:
            self._delays.append(Span(start, start + starved, 0.0))

    def delayed(self, start: float, end: float) -> float:
        """Seconds between the two in which the watchdog got no CPU.

        It may have had the interpreter's lock, or been about to get it: who wants the lock then
        waits as if it had no CPU itself.
        """
        return sum(span.within(start, end) for span in tuple(self._delays))

    def stopped(self, start: float, end: float) -> float:
        """Seconds between `start` and `end` in which the process was stopped."""
        return sum(span.within(start, end) for span in tuple(self._stops))

    def locked(self, start: float, end: float, cpu: float) -> float:
        """Seconds between the two in which another thread kept the interpreter's lock.

        Arguments:
            cpu: what the loop's own thread burnt meanwhile. Who holds the lock and lets nobody
                look burns CPU, so there must be more than that; but for code that sleeps with
                the lock, which is then taken for the loop's own.
        """
        holds = [span for span in tuple(self._holds) if span.within(start, end)]
        elsewhere = sum(span.cpu for span in holds) - cpu
        if elsewhere <= cpu + _NOISE_SECONDS:
            return 0.0
        return sum(span.within(start, end) for span in holds)

    def is_anothers(self, block: Block) -> bool:
        """Whether another thread held `block`'s code up for most of its time."""
        return self.locked(block.start, block.end, block.cpu) > block.seconds / 2

    def close(self) -> None:
        """Give the thread's file back."""
        self._thread.close()
