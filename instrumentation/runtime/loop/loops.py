"""Finds the event loops that run in other threads."""

from __future__ import annotations

import sys
from asyncio import AbstractEventLoop, Runner
from asyncio.base_events import BaseEventLoop
from collections.abc import Collection
from types import CodeType, FrameType
from typing import Final

from instrumentation.runtime.loop.frames import uncollected

_RUN_FOREVER: Final[CodeType] = BaseEventLoop.run_forever.__code__
_RUN: Final[CodeType] = Runner.run.__code__


def running(known: Collection[int]) -> list[AbstractEventLoop]:
    """The loops of all threads but those in `known`.

    A loop that serves the application makes itself known. One that a thread of the user's runs
    does not, and there is no list of them; but the functions that run it are on its stack:
    `run_forever` for asyncio's, `asyncio.run` for any.
    """
    with uncollected():
        found = [
            _loop(innermost)
            for thread, innermost in sys._current_frames().items()
            if thread not in known
        ]
    return [loop for loop in found if loop is not None and loop.is_running()]


def _loop(innermost: FrameType) -> AbstractEventLoop | None:
    frame: FrameType | None = innermost
    while frame is not None:
        if frame.f_code in (_RUN_FOREVER, _RUN):
            found = frame.f_locals.get("self")
            loop = found.get_loop() if isinstance(found, Runner) else found
            return loop if isinstance(loop, AbstractEventLoop) else None
        frame = frame.f_back
    return None
