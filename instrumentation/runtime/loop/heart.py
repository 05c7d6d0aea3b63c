"""The heartbeat of one event loop: how late it comes, and what the loop did meanwhile."""

from __future__ import annotations

import asyncio
import sys
import threading
import weakref
from asyncio import AbstractEventLoop
from collections import deque
from collections.abc import Callable
from contextvars import Context
from time import perf_counter
from typing import TYPE_CHECKING, Final, NamedTuple

from instrumentation.export import scrape
from instrumentation.runtime.loop import stack
from instrumentation.runtime.loop.observer import Observer
from instrumentation.runtime.loop.stretch import Block, Sample, Segment, Stretch
from instrumentation.runtime.loop.tasks import request_of
from instrumentation.runtime.loop.usage import ThreadUsage, Usage

if TYPE_CHECKING:
    from types import FrameType

    from instrumentation.context import Request

_NEVER: Final = float("inf")
_REMEMBERED: Final = 256
_IDLE_SECONDS: Final = 0.0005
_UNREAD_SECONDS: Final = 0.003


class Seen(NamedTuple):
    """A sample, and where it was noted."""

    sample: Sample
    segment: Segment
    stretch: Stretch


class Heart:
    """Beats on the running loop, every `interval` seconds; half as often while it has no work.

    The beat and `check` share its attributes without a lock: each of these is written by one of
    the two threads, or taken whole.

    Arguments:
        turned: told on the loop when it has turned, and when that was.

    Attributes:
        thread: the one that runs the loop.
        blocked: seconds for which the loop was blocked so far.
        closed: stretches that are over, for the watchdog to report.
        past: the last blocks: start, end, and a weak reference to the request.
    """

    def __init__(self, interval: float, turned: Callable[[Heart, float], None]) -> None:
        loop = asyncio.get_running_loop()
        self.observers: list[Observer] = []
        self.threshold = _NEVER
        self.interval = interval
        self._turned = turned
        self.blocked = 0.0
        self.closed: deque[Stretch] = deque()
        self.stretch: Stretch | None = None
        self._loop = weakref.ref(loop)
        self.past: deque[tuple[float, float, object]] = deque(maxlen=_REMEMBERED)
        self._held: list[FrameType] = []
        self._base = 0
        self._unread = 0.0
        self._sure = False
        self._stopped = False
        self._begin(loop)

    def _begin(self, loop: AbstractEventLoop) -> None:
        self.thread = threading.get_ident()
        self._usage = ThreadUsage()
        self._before = self._usage.read()
        self._last = self._before.at
        # What runs now counts too: the application's start, or its first request.
        self._base = stack.below_task(asyncio.current_task(loop))
        self._due = self._last + self.interval if self._base else _NEVER
        self._schedule(loop, self.interval)

    def loop(self) -> AbstractEventLoop | None:
        """The loop, unless it is gone."""
        loop = self._loop()
        return None if loop is None or loop.is_closed() or self._stopped else loop

    def observe(self, observer: Observer) -> None:
        """Report to `observer` too."""
        if observer not in self.observers:
            self.observers = [*self.observers, observer]
            self.threshold = min(self.threshold, observer.threshold)

    def forget(self, observer: Observer) -> None:
        """Report to `observer` no more."""
        self.observers = [other for other in self.observers if other is not observer]
        self.threshold = min((other.threshold for other in self.observers), default=_NEVER)

    def stop(self) -> None:
        """Beat no more."""
        self._stopped = True
        self.stretch = None
        self._usage.close()

    def reborn(self) -> bool:
        """After a fork: whether the loop goes on in this process, in the thread that is left."""
        self._usage.close()
        loop = self._loop()
        if loop is None or self.thread != threading.get_ident() or not loop.is_running():
            return False
        self._usage = ThreadUsage()
        self._before = self._usage.read()
        return True

    def resume(self) -> None:
        """Count from now on, without waiting for a beat. A task's outermost coroutine calls it."""
        self._move(sys._getframe(1).f_back)
        self._before = self._usage.read()
        self._last = self._before.at
        self._due = self._last + self.interval
        self._turned(self, self._last)

    def pause(self) -> None:
        """Count no more until the next beat: the loop is about to stop, and this is no block."""
        usage = self._usage.read()
        if self._due < _NEVER and usage.at - self._last > self.threshold:
            self._close(usage)
        self._due = _NEVER
        self._turned(self, usage.at)

    def _schedule(self, loop: AbstractEventLoop, pause: float) -> None:
        # In a context of its own: the caller's would keep its request alive.
        loop.call_later(pause, self._beat, context=Context())

    def _beat(self) -> None:
        loop = self._loop()
        if self._stopped or loop is None:
            return
        usage, late, idle = self._read()
        now = usage.at
        if late > -_NEVER:
            for observer in self.observers:
                observer.beat(late if late > 0.0 else 0.0)
            if self.stretch is not None or now - self._last > self.threshold:
                self._close(usage)
        self._held.clear()
        if self.thread != threading.get_ident() or not self._sure:
            self._move(sys._getframe(1))
        self._before = usage
        self._last = now
        pause = 2 * self.interval if idle else self.interval
        self._due = now + pause
        self._turned(self, now)
        self._schedule(loop, pause)

    def _read(self) -> tuple[Usage, float, bool]:
        """The usage at a beat, by how much it is late, and whether the loop had nothing to do.

        A thread without work that waits for the CPU is late by as much. So the kernel's figure,
        which costs as much as all the rest, is read when that adds up to something.
        """
        usage = self._usage.glance()
        late = usage.at - self._due
        idle = usage.cpu - self._before.cpu < _IDLE_SECONDS
        self._unread += max(0.0, late)
        if not idle or self._unread > _UNREAD_SECONDS or self._due == _NEVER:
            usage, self._unread = self._usage.read(), 0.0
        return usage, late, idle

    def _move(self, beneath: FrameType | None) -> None:
        """Learn which thread runs the loop, and beneath which frame."""
        self._base, self._sure = stack.loop_frame(beneath), True
        if self.thread != threading.get_ident():
            self.thread = threading.get_ident()
            self._usage.close()
            self._usage = ThreadUsage()

    def _close(self, usage: Usage) -> None:
        """The stretch is over; if it was long, it goes to the watchdog."""
        stretch, self.stretch = self.stretch, None
        if stretch is None or stretch.due != self._due:
            stretch = Stretch(self._last, self._due, self._before)
        if usage.at - stretch.last < self.threshold:
            return
        stretch.finish(usage)
        blocks = stretch.blocks(self.threshold, usage)
        if not self._sure and not _are_users(blocks):
            return  # Nobody knows yet if the process gets the CPU that it needs for its start.
        for block in blocks:
            if block.request is not None:
                block.request.blocked += block.seconds
            self.blocked += block.seconds
            self.past.append((block.start, block.end, weak(block.request)))
        self.closed.append(stretch)

    def late_at(self) -> float:
        """From when on the loop is to be looked at, if it does not turn; never, while it rests."""
        return self._due + self._pause()

    def look(self, now: float) -> Seen | None:
        """Look at what the loop does, if its beat is late.

        Called by the watchdog, as the first thing after its sleep, and nothing here gives up
        the interpreter's lock: who blocks the loop in one C call keeps the lock until that call
        returns. Whoever looks a moment later sees what came after it.
        """
        loop, due = self._loop(), self._due
        if loop is None or now < self.late_at() or not loop.is_running():
            return None
        stretch = self.stretch
        if stretch is None or stretch.due != due:
            stretch = Stretch(self._last, due, self._before)
        sample = self._sample(loop)
        if due != self._due:  # the loop has turned meanwhile
            return None
        segment = stretch.add(sample)
        self.stretch = stretch
        return Seen(sample, segment, stretch) if segment else None

    def check(self, now: float, seen: Seen | None, since: float | None) -> float:
        """Learn what could not be known at once of what `look` saw.

        Called by the watchdog; answers when to look again.

        Arguments:
            since: since when nobody could look, because somebody kept the interpreter's lock.
        """
        if seen is not None:
            self._know(seen, since)
            return perf_counter() + self._pause()
        loop = self._loop()
        if loop is None or not loop.is_running():
            self._due = _NEVER
            self._base, self._sure = 0, False
        return max(now + self._pause(), self.late_at())

    def _pause(self) -> float:
        """Between two looks at a loop that is late."""
        return self.interval / 4

    def _sample(self, loop: AbstractEventLoop) -> Sample:
        usage = self._usage.glance()
        running = stack.callback(self.thread, self._base)
        if running is None or _is_nobodys(running.stack):
            return Sample(usage)
        task = asyncio.current_task(loop)
        return Sample(
            usage,
            None,
            self._hold(running.frame) if task is None else weakref.ref(task),
            request_of(task),
            stack.culprit(running.stack),
            running.stack,
        )

    def _know(self, seen: Seen, since: float | None) -> None:
        sample, at = seen.sample, seen.sample.usage.at
        sample.since = since
        missed = 0.0 if since is None else max(0.0, at - since) / self._pause()
        usage = self._usage.read()
        if seen.stretch.end is None:
            sample.slept = sample.owner is None or self._usage.sleeps()
        seen.segment.know(sample, usage, missed)

    def _hold(self, frame: FrameType) -> int:
        """The identity of a callback: of one that is over, it would be given to another.

        The next beat lets go, because what a frame keeps alive may end only in its own thread.
        """
        if frame not in self._held:
            self._held.append(frame)
        return id(frame)

    def open_blocks(self) -> list[Block]:
        """The blocks since the last beat, as far as they were seen. Call it on the loop."""
        stretch = self.stretch
        if stretch is None or stretch.due != self._due:
            return []
        return stretch.blocks(self.threshold, self._usage.glance())


_OURS: Final = frozenset((scrape.answer.__code__, Heart._beat.__code__))


def _is_nobodys(levels: tuple[stack.Spot, ...]) -> bool:
    """Whether a stack is that of our own work, or stands at a breakpoint."""
    return any(spot.code in _OURS for spot in levels) or stack.in_debugger(levels)


def _are_users(blocks: list[Block]) -> bool:
    lines = [block.culprit for block in blocks]
    return bool(lines) and all(line is not None and line.is_users() for line in lines)


def weak(request: Request | None) -> object:
    """What stands for a request in `Heart.past`, and does not keep it alive."""
    return None if request is None else weakref.ref(request)
