"""asyncio's debug mode, with its warnings about slow callbacks told apart by route and line."""

from __future__ import annotations

import logging
from asyncio import AbstractEventLoop
from typing import Any, Final
from weakref import WeakKeyDictionary

from instrumentation.runtime.loop.watchdog import here
from instrumentation.telemetry import Telemetry

logger = logging.getLogger("instrumentation")

_SLOW: Final = "Executing %s took %.3f seconds"
"""The warning about a slow callback, of asyncio's loops and of uvloop's."""


def install(telemetry: Telemetry) -> None:
    """Switch debug mode on for the application's event loops, where the settings ask for it."""
    settings = telemetry.settings
    if not settings.asyncio_debug:
        return
    mode = DebugMode(settings.blocking_threshold_seconds)
    warnings = logging.getLogger("asyncio")
    where = Where()
    warnings.addFilter(where)
    telemetry.on_loop(mode.enter)
    telemetry.on_uninstrument(mode.leave)
    telemetry.on_uninstrument(lambda: warnings.removeFilter(where))


class DebugMode:
    """Debug mode of event loops, and what they were like before.

    Arguments:
        threshold: seconds from which on a callback is slow; 0 leaves the loop's own.
    """

    def __init__(self, threshold: float) -> None:
        self._threshold = threshold
        self._before: WeakKeyDictionary[AbstractEventLoop, tuple[bool, float]] = WeakKeyDictionary()

    def enter(self, loop: Any) -> None:
        """Switch it on for the running loop."""
        if loop in self._before:
            return
        self._before[loop] = (loop.get_debug(), loop.slow_callback_duration)
        loop.set_debug(True)
        if self._threshold:
            loop.slow_callback_duration = self._threshold
        logger.warning(
            "asyncio's debug mode is on (INSTRUMENTATION_ASYNCIO_DEBUG): it slows every callback "
            "and is for development"
        )

    def leave(self) -> None:
        """Leave every loop as it was."""
        loops: list[tuple[Any, tuple[bool, float]]] = list(self._before.items())
        self._before.clear()
        for loop, (debug, slow) in loops:
            if not loop.is_closed():
                loop.slow_callback_duration = slow
                loop.set_debug(debug)


class Where(logging.Filter):
    """Adds to a warning about a slow callback whose request it was, and at which line.

    The warning comes on the loop right after the callback, before the heart has beaten again:
    what the watchdog has seen since the last beat is the answer. The text that asyncio writes
    names the outermost coroutine, which for a request is always the server's.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        """Let every record pass."""
        if record.msg == _SLOW and here.heart is not None:
            seen = here.heart.open_blocks()
            if seen:
                block = seen[-1]
                route = "" if block.request is None else block.request.track.label()
                record.http_route = route
                record.msg = f"{_SLOW} in %s, at %s"
                record.args = (*_arguments(record), route or "no request", block.label())
        return True


def _arguments(record: logging.LogRecord) -> tuple[object, ...]:
    return record.args if isinstance(record.args, tuple) else ()
