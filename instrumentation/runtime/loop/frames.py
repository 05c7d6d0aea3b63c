"""What every thread is doing, asked without a deadlock."""

from __future__ import annotations

import gc
import sys
from types import FrameType
from typing import Final

_MAY_COLLECT: Final = sys.version_info < (3, 12)


def current_frames() -> dict[int, FrameType]:
    """The innermost frame of each thread, by its identifier.

    Python 3.11 may collect garbage within `sys._current_frames`, which holds the lock that a thread
    needs to begin and to end. A finaliser that lets another thread run in the middle, as closing a
    file does, then stopped the whole process for ever (https://github.com/python/cpython/issues/106883,
    which its last releases mend). So the collector waits meanwhile, unless it is off already.
    """
    if not (_MAY_COLLECT and gc.isenabled()):
        return sys._current_frames()
    gc.disable()
    try:
        return sys._current_frames()
    finally:
        gc.enable()
