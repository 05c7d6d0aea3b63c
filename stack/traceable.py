"""`python -m stack.traceable ARGUMENTS`: Python with them, open to the user's own tracers.

Where Yama restricts ptrace, as on Ubuntu, a process may be looked into by its ancestors alone,
unless it has said otherwise itself. What it says stays when it runs another program.
"""

import ctypes
import os
import sys

_PR_SET_PTRACER = 0x59616D61
_ANY = ctypes.c_ulong(-1)

if __name__ == "__main__":
    if sys.platform == "linux":
        # Without Yama this fails, and isn't needed.
        ctypes.CDLL(None).prctl(_PR_SET_PTRACER, _ANY, 0, 0, 0)
    os.execv(sys.executable, [sys.executable, *sys.argv[1:]])  # noqa: S606 - our own arguments
