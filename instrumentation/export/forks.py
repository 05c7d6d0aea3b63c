"""What has to happen when the process is forked. There is no way to take a hook back."""

from __future__ import annotations

import os
import weakref
from collections.abc import Callable
from typing import Any


def in_child(method: Callable[[], None]) -> None:
    """Have every child call `method` first, as long as the object that it belongs to lives."""
    os.register_at_fork(after_in_child=_weak(method))


def before(method: Callable[[], None]) -> None:
    """Have the parent call `method` before it forks, as long as its object lives."""
    os.register_at_fork(before=_weak(method))


def _weak(method: Any) -> Callable[[], None]:
    kept = weakref.WeakMethod(method)

    def call() -> None:
        found: Any = kept()
        if found is not None:
            found()

    return call
