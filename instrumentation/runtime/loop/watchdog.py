"""The one thread that watches every event loop of the process."""

from __future__ import annotations

import logging
import os
import threading
from asyncio import AbstractEventLoop, get_running_loop
from collections.abc import Iterable
from contextlib import suppress
from contextvars import Context
from time import perf_counter
from typing import Final

from instrumentation.afterwards import catch_up
from instrumentation.runtime.loop import loops
from instrumentation.runtime.loop.alarm import Alarm, PlainAlarm, best_alarm
from instrumentation.runtime.loop.garbage import Pauses
from instrumentation.runtime.loop.heart import Heart, Seen
from instrumentation.runtime.loop.observer import Observer, is_routed, tell
from instrumentation.runtime.loop.standstill import LOCKED, STARVED, STOPPED, Standstills, patience
from instrumentation.runtime.loop.stretch import Block, Stretch
from instrumentation.runtime.loop.usage import Usage

logger = logging.getLogger("instrumentation")

_INTERVAL: Final = 0.4
"""Of a heartbeat, in thresholds: the shortest block that must be found misses one beat at least."""

_LONGEST_INTERVAL: Final = 0.05
_SEARCH_SECONDS: Final = 1.0
_NEVER: Final = float("inf")


class Here(threading.local):
    """What the current thread has.

    Attributes:
        heart: that of the loop which runs, or ran last, in this thread.
    """

    heart: Heart | None = None


class Watchdog:
    """Looks at every heart in turn; where the beat is late, at what the loop is doing.

    It is started by the first observer and ends with the last. Whatever it finds out is told to
    the observers from its thread.
    """

    def __init__(self) -> None:
        self._hearts: dict[int, Heart] = {}
        self._observers: list[Observer] = []
        self._pauses = Pauses()
        self._standstills: Standstills | None = None
        self._searched = 0.0
        self._waiting: list[tuple[Block, Heart]] = []
        self._thread: threading.Thread | None = None
        self._alarm: Alarm | None = None
        self._lock = threading.Lock()
        self._reporting = threading.Lock()
        os.register_at_fork(after_in_child=self._after_fork)

    def watch(self, observer: Observer) -> Heart:
        """Watch the running loop for `observer`; again for one that is watched does nothing."""
        loop = get_running_loop()
        with self._lock:
            heart = self._hearts.get(id(loop))
            if heart is None or heart.loop() is not loop:
                heart = self._hearts[id(loop)] = Heart(_interval(observer.threshold), self._turned)
            heart.observe(observer)
            if observer not in self._observers:
                self._observers = [*self._observers, observer]
            self._start()
        self._turned(heart, perf_counter())
        here.heart = heart
        return heart

    def release(self, observer: Observer) -> None:
        """Tell `observer` nothing more."""
        self.report(everything=True)
        with self._lock:
            self._observers = [other for other in self._observers if other is not observer]
            for key, heart in tuple(self._hearts.items()):
                heart.forget(observer)
                if not heart.observers:
                    heart.stop()
                    del self._hearts[key]
            thread = None if self._observers else self._thread
            if thread is not None and self._alarm is not None:
                self._thread = None
                self._pauses.stop()
                self._alarm.end()
        if thread is not None and thread is not threading.current_thread():
            thread.join()

    def loops(self, observer: Observer) -> list[AbstractEventLoop]:
        """The loops that `observer` watches."""
        hearts = tuple(self._hearts.values())
        found = [heart.loop() for heart in hearts if observer in heart.observers]
        return [loop for loop in found if loop is not None]

    def _start(self) -> None:
        if self._thread is None:
            self._pauses.start()
            self._alarm = best_alarm()
            self._thread = threading.Thread(
                target=self._run,
                args=(self._alarm,),
                name="instrumentation-watchdog",
                daemon=True,
            )
            self._thread.start()

    def _turned(self, heart: Heart, now: float) -> None:
        """Nobody has to look before the next beat of a heart is late. Called on its loop."""
        alarm = self._alarm
        if alarm is None:
            return
        late = [each.late_at() for each in tuple(self._hearts.values())]
        until = now if heart.closed else min(late, default=_NEVER)
        if until >= now:  # another one is late, and looked at already
            alarm.put_off(now, until)

    def _run(self, alarm: Alarm) -> None:
        mine = threading.current_thread()
        standstills = Standstills()
        self._standstills = standstills
        until = 0.0
        while self._thread is mine:
            try:
                alarm.sleep(until, _LONGEST_INTERVAL if self._waiting else _SEARCH_SECONDS)
            except OSError:
                logger.exception("the event loop's watchdog goes on without it")
                self._alarm = alarm = PlainAlarm()
            now = perf_counter()
            asked, cpu = alarm.at, alarm.cpu
            try:
                hearts = tuple(self._hearts.items())
                for _ in range(2):
                    seen = [heart.look(now) for _, heart in hearts]
                    since = standstills.woke(asked, now, cpu)
                    again = perf_counter()
                    if any(seen) or again - now <= patience():
                        break
                    # Somebody got the interpreter's lock meanwhile, for a long call in C perhaps,
                    # and is over it before the next sleep ends.
                    asked, now = now, again
                until = self._check(now, hearts, seen, since)
                self.report()
                catch_up()
                standstills.worked(now)
            except Exception:
                logger.exception("the event loop's watchdog failed; it goes on")
                until = now + 1.0
        standstills.close()
        alarm.close()

    def _check(
        self,
        now: float,
        hearts: Iterable[tuple[int, Heart]],
        seen: Iterable[Seen | None],
        since: float | None,
    ) -> float:
        """Check every heart; answers when to look again."""
        until = _NEVER
        if now > self._searched + _SEARCH_SECONDS:
            self._searched = now
            self._search()
        for (key, heart), sight in zip(hearts, seen, strict=True):
            if heart.loop() is None:
                self._bury(key, heart)
            else:
                until = min(until, heart.check(now, sight, since))
        return until

    def _search(self) -> None:
        """Watch the loops of other threads too, for whoever watches already."""
        known = {heart.thread for heart in tuple(self._hearts.values()) if heart.loop()}
        for loop in loops.running(known | {threading.get_ident()}):
            for observer in tuple(self._observers):
                with suppress(RuntimeError):  # it has just been closed
                    loop.call_soon_threadsafe(self._adopt, observer, context=Context())

    def _adopt(self, observer: Observer) -> None:
        if observer in self._observers:
            self.watch(observer)

    def _bury(self, key: int, heart: Heart) -> None:
        with self._lock:
            heart.stop()
            if self._hearts.get(key) is heart:
                del self._hearts[key]

    def report(self, everything: bool = False) -> None:
        """Tell the observers of what is over.

        A request may have blocked in a middleware, before its route was known; it is reported
        when the request is over, or at once if `everything` is.
        """
        hearts = tuple(self._hearts.values())
        if not (self._waiting or self._pauses or any(heart.closed for heart in hearts)):
            return
        with self._reporting:
            for heart in hearts:
                while heart.closed:
                    self._judge(heart, heart.closed.popleft())
            self._pauses.tell(self._observers)
            waiting, self._waiting = self._waiting, []
            for block, heart in waiting:
                if everything or is_routed(block):
                    tell(heart.observers, block)
                else:
                    self._waiting.append((block, heart))

    def _judge(self, heart: Heart, stretch: Stretch) -> None:
        """Decide whether code blocked the loop, or something else kept it from turning."""
        still, end = self._standstills, stretch.end
        if end is None or still is None:
            return
        blocks = [b for b in stretch.blocks(heart.threshold, end) if not still.is_anothers(b)]
        for block in blocks:
            block.seconds -= still.stopped(block.start, block.end)
            if not block.slept:
                block.starved += still.delayed(block.start, block.end)
            collecting = self._pauses.within(block.start, block.end, heart.thread)
            block.collecting = collecting >= block.held() / 2
        blocks = [block for block in blocks if block.held() >= heart.threshold]
        if not blocks:
            blocks = self._standstill(still, heart, stretch, end)
        for block in blocks:
            block.thread = heart.thread
            self._waiting.append((block, heart))

    def _standstill(
        self, still: Standstills, heart: Heart, stretch: Stretch, end: Usage
    ) -> list[Block]:
        """Tell why a loop stood still; a block without a culprit is left where nothing tells."""
        seconds, cpu = stretch.seconds(end.at), end.cpu - stretch.before.cpu
        if seconds < heart.threshold:
            return []
        reasons = {
            STOPPED: still.stopped(stretch.last, end.at),
            STARVED: stretch.starved(end) + still.delayed(stretch.last, end.at),
            LOCKED: still.locked(stretch.last, end.at, cpu),
        }
        starved = reasons[STARVED]
        start = end.at - seconds
        if self._pauses.within(start, end.at) >= heart.threshold:
            return [Block(start, end.at, seconds, cpu, starved, None, None, collecting=True)]
        if sum(reasons.values()) >= seconds / 2:
            for observer in heart.observers:
                observer.stalled(seconds, max(reasons, key=reasons.__getitem__))
        elif not stretch.segments and seconds - sum(reasons.values()) >= heart.threshold:
            return [Block(start, end.at, seconds, cpu, starved, None, None)]
        return []

    def _after_fork(self) -> None:
        """A child has none of its parent's threads, and seldom its loops."""
        self._lock = threading.Lock()
        self._reporting = threading.Lock()
        self._waiting = []
        if self._alarm is not None:
            self._alarm.close()
            self._alarm = None
        self._hearts = {key: heart for key, heart in self._hearts.items() if heart.reborn()}
        self._thread = None
        if self._hearts:
            self._start()


def _interval(threshold: float) -> float:
    return min(threshold * _INTERVAL, _LONGEST_INTERVAL)


here: Final = Here()

watchdog: Final = Watchdog()
"""The process's own."""
