"""What the kernel says of a thread: the CPU it burnt, and for how long it could not get any."""

from __future__ import annotations

import ctypes
import os
import sys
import threading
import time
from collections.abc import Callable
from typing import Final, NamedTuple

from instrumentation.runtime.loop import libc

try:
    import resource
except ImportError:  # no POSIX
    resource = None  # type: ignore[assignment]

_THREAD: Final[int | None] = getattr(resource, "RUSAGE_THREAD", None)


class Usage(NamedTuple):
    """A reading, all in seconds.

    Attributes:
        at: when, as `time.perf_counter` says.
        cpu: CPU time of the thread so far.
        starved: time so far in which the thread could have run and got no CPU. Linux alone
            tells; 0 elsewhere.
    """

    at: float
    cpu: float = 0.0
    starved: float = 0.0


class ThreadUsage:
    """Reads the usage of the thread that made it, from any thread."""

    def __init__(self) -> None:
        # Asked for here, where the thread is known to live: for another the C library may crash.
        clock_of = getattr(time, "pthread_getcpuclockid", None)
        self._clock: int | None = clock_of(threading.get_ident()) if clock_of else None
        self._starved = 0.0
        self._file = _open("schedstat")
        self._channel = _open("wchan")

    def read(self) -> Usage:
        """The usage now; what can't be read any more is 0."""
        usage = self.glance()
        try:
            if self._file >= 0:
                self._starved = int(_read(self._file).split()[1]) / 1e9
        except (OSError, IndexError, ValueError):
            return Usage(usage.at)
        return usage._replace(starved=self._starved)

    def glance(self) -> Usage:
        """The usage now, but for `starved`, which is as it was last read, for that costs more."""
        at = time.perf_counter()
        try:
            cpu = 0.0 if self._clock is None else time.clock_gettime(self._clock)
        except OSError:
            return Usage(at)
        return Usage(at, cpu, self._starved)

    def sleeps(self) -> bool:
        """Whether it waits in the kernel, and not for a lock such as the interpreter's.

        True where nobody tells: Linux does.
        """
        try:
            channel = _read(self._channel)
        except OSError:
            return True
        return channel != b"0" and not channel.startswith(b"futex")

    def close(self) -> None:
        """Give the files back."""
        files = (self._file, self._channel)
        self._file = self._channel = -1
        for file in files:
            if file >= 0:
                os.close(file)


class Interruptions:
    """Tells for how long the calling thread waited for the interpreter's lock.

    A thread that waits for the interpreter's lock wakes every switch interval (5 ms) to ask for
    it, so it gives up the CPU of its own accord again and again; the kernel counts that. In a
    process that is stopped or gets no CPU it does not.
    """

    def __init__(self) -> None:
        self._switches = _switches()

    def waited(self) -> float:
        """About how many seconds since the last call, in which it went to sleep once."""
        before, self._switches = self._switches, _switches()
        if _THREAD is None:
            return float("inf")
        return max(0, self._switches - before - 1) * sys.getswitchinterval()


def _reader() -> Callable[[int], bytes]:
    """What reads the begin of a file of the kernel's, which never makes anybody wait."""
    types = (ctypes.c_int, ctypes.c_void_p, ctypes.c_size_t, ctypes.c_long)
    try:
        pread = libc.function("pread", *types, result=ctypes.c_ssize_t)
    except OSError:
        return lambda file: os.pread(file, _LENGTH, 0)

    def read(file: int) -> bytes:
        buffer = ctypes.create_string_buffer(_LENGTH)
        length: int = pread(file, buffer, _LENGTH, 0)
        if length < 0:
            raise OSError(ctypes.get_errno(), "pread")
        return buffer.raw[:length]

    return read


_LENGTH: Final = 64
_read: Final = _reader()


def _open(name: str) -> int:
    try:
        path = f"/proc/self/task/{threading.get_native_id()}/{name}"
        return os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return -1


def _switches() -> int:
    return resource.getrusage(_THREAD).ru_nvcsw if _THREAD is not None else 0
