"""Looking at the stacks of other threads, without a crash and without a deadlock."""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

_MAY_COLLECT: Final = sys.version_info < (3, 12)


@contextmanager
def uncollected() -> Iterator[None]:
    """Have the garbage collector wait while somebody asks for frames of other threads.

    Python 3.11 makes the frames that one asks for, and may collect garbage as it does. A finaliser
    that lets another thread run in the middle, as closing a file does, then lets that thread leave
    the very frame that is asked for: `f_back` ends the process by a segmentation fault. And
    `sys._current_frames` holds the lock that a thread needs to begin and to end, so it stopped the
    process for ever; the last releases of 3.11 mend that much, see
    https://github.com/python/cpython/issues/106883. A collector that is off already stays so.
    """
    if not (_MAY_COLLECT and gc.isenabled()):
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
