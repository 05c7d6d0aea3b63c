"""What finalisers want done, done a moment later by somebody else.

The garbage collector may run a finaliser in the middle of anything, also of code that holds the
very lock which the finaliser's work would take. A thread that did the work there would wait for
itself, for ever.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable

_waiting: deque[Callable[[], object]] = deque()


def later(work: Callable[[], object]) -> None:
    """Have `work` done soon; a finaliser may call this. `work` has to deal with its errors."""
    _waiting.append(work)


def catch_up() -> None:
    """Do what waits. Whoever calls this holds no lock."""
    while _waiting:
        try:
            work = _waiting.popleft()
        except IndexError:  # another thread was faster
            return
        work()


# It is the parent's to do.
os.register_at_fork(after_in_child=_waiting.clear)
