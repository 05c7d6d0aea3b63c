"""Finds the event loops that run in other threads."""

from __future__ import annotations

from asyncio import AbstractEventLoop, Runner
from asyncio.base_events import BaseEventLoop
from collections.abc import Collection, Iterator
from types import CodeType
from typing import Final

from instrumentation.runtime.loop.frames import current_frames

_RUN_FOREVER: Final[CodeType] = BaseEventLoop.run_forever.__code__
_RUN: Final[CodeType] = Runner.run.__code__


def running(known: Collection[int]) -> Iterator[AbstractEventLoop]:
    """The loops of all threads but those in `known`.

    A loop that serves the application makes itself known. One that a thread of the user's runs
    does not, and there is no list of them; but the functions that run it are on its stack:
    `run_forever` for asyncio's, `asyncio.run` for any.
    """
    for thread, innermost in current_frames().items():
        frame = None if thread in known else innermost
        while frame is not None:
            if frame.f_code in (_RUN_FOREVER, _RUN):
                found = frame.f_locals.get("self")
                loop = found.get_loop() if isinstance(found, Runner) else found
                if isinstance(loop, AbstractEventLoop) and loop.is_running():
                    yield loop
                break
            frame = frame.f_back
