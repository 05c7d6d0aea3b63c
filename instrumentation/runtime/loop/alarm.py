"""What wakes the watchdog's thread, and wakes nobody where it is put off in time.

A thread that wakes for nothing, some 25 times a second, costs half of what watching costs at all:
it finds cold caches, and a busy interpreter has to give up its lock for it. Linux has timers that
another thread can put off; elsewhere the thread wakes, and looks.
"""

from __future__ import annotations

import ctypes
import errno
import os
import select
import struct
import threading
import time
from typing import Final

from instrumentation.runtime.loop import libc

_MONOTONIC: Final = 1
_ABSOLUTE: Final = 1
_SOON: Final = 1e-9
_BLIND_SECONDS: Final = 0.05
_MOMENT: Final = struct.Struct("4l")
"""An interval and a moment, in seconds and nanoseconds, where both take 64 bits."""


class Alarm:
    """Rings for one thread, at a moment in the clock of `time.perf_counter`.

    Attributes:
        at: when it rings.
        cpu: seconds of CPU that the process had burnt when `at` was set last.
    """

    def __init__(self) -> None:
        self.at = self.cpu = 0.0
        self._latest = 0.0
        self._over = False
        self._lock = threading.Lock()

    def sleep(self, until: float, most: float) -> None:
        """Wait for the alarm, set to `until` at first; for `most` seconds, put off or not.

        Raises:
            OSError: it can't ring any more, because somebody closed our file.
        """
        with self._lock:
            self._latest = time.perf_counter() + most
            self._set(until)
        self._wait()

    def put_off(self, now: float, until: float) -> None:
        """Have it ring at `until`, be it earlier or later; one that is due rings all the same."""
        with self._lock:
            if now < self.at:
                self._set(until)

    def end(self) -> None:
        """Ring now, and let nobody put it off."""
        with self._lock:
            self._over = True
            self._set(0.0)

    def close(self) -> None:
        """Give back what the system lent; called by the thread, when it sleeps no more."""

    def _set(self, until: float) -> None:
        self.at = 0.0 if self._over else min(until, self._latest)
        self.cpu = time.process_time()

    def _wait(self) -> None:
        raise NotImplementedError


class PlainAlarm(Alarm):
    """One that can be put off by nobody, but for its end. It works everywhere."""

    def __init__(self) -> None:
        super().__init__()
        self._bed = threading.Lock()
        self._bed.acquire()

    def sleep(self, until: float, most: float) -> None:
        """Wait for the alarm. A loop may begin to turn meanwhile, so not for long."""
        super().sleep(until, min(most, _BLIND_SECONDS))

    def put_off(self, now: float, until: float) -> None:
        """Do nothing: the thread wakes, and looks."""

    def end(self) -> None:
        """Ring now, and let nobody put it off."""
        super().end()
        self._bed.release()

    def _wait(self) -> None:
        # The cheapest sleep that somebody can end.
        self._bed.acquire(timeout=max(0.0, self.at - time.perf_counter()))


class TimerAlarm(Alarm):
    """One of Linux's timers.

    Raises:
        OSError: there are none.
    """

    def __init__(self) -> None:
        super().__init__()
        create = libc.function("timerfd_create", ctypes.c_int, ctypes.c_int)
        self._settime = libc.function(
            "timerfd_settime", ctypes.c_int, ctypes.c_int, ctypes.c_char_p, ctypes.c_void_p
        )
        self._file = create(_MONOTONIC, os.O_CLOEXEC)
        if self._file < 0:
            raise OSError(ctypes.get_errno(), "timerfd_create")
        # Waiting reads nothing: what else may have become of the file, if others close it.
        self._poll = select.poll()
        self._poll.register(self._file, select.POLLIN)

    def close(self) -> None:
        """Give the timer back."""
        file, self._file = self._file, -1
        if file >= 0:
            os.close(file)

    def _set(self, until: float) -> None:
        super()._set(until)
        # Zero would stop the timer.
        seconds, rest = divmod(max(self.at, _SOON), 1.0)
        moment = _MOMENT.pack(0, 0, int(seconds), max(1, int(rest * 1e9)))
        self._settime(self._file, _ABSOLUTE, moment, None)

    def _wait(self) -> None:
        most = self._latest - time.perf_counter()
        for _, event in self._poll.poll(max(0.0, most) * 1000):
            if event & select.POLLNVAL:
                raise OSError(errno.EBADF, "somebody closed the event loop watchdog's timer")


def best_alarm() -> Alarm:
    """The best that this system has."""
    clock = time.get_clock_info("perf_counter").implementation
    if clock != "clock_gettime(CLOCK_MONOTONIC)" or _MOMENT.size != 32:
        return PlainAlarm()
    try:
        return TimerAlarm()
    except OSError:
        return PlainAlarm()
