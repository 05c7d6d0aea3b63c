"""What the event loop cost one request, and what the request cost the loop."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from starlette.types import Message

from instrumentation.context import Request
from instrumentation.runtime.loop.heart import Heart, weak
from instrumentation.runtime.loop.stretch import Block
from instrumentation.runtime.loop.watchdog import here

_NOTHING: Final[dict[str, Any]] = {}


class Toll:
    """Made when a request begins whose span is recorded, or which tells its toll in a header.

    As long as nothing blocks, it costs two comparisons.
    """

    __slots__ = ("_before", "_heart")

    def __init__(self) -> None:
        heart = self._heart = here.heart
        self._before = 0.0 if heart is None else heart.blocked

    def attributes(self, request: Request, end: float) -> dict[str, Any]:
        """What the request's span says of the time until `end`.

        `event_loop.blocked_seconds` is what its own code took. `event_loop.waited_seconds` is
        what others' code took while it was in progress: it could not go on, whatever came for it.
        """
        heart = self._heart
        if heart is None:
            return _NOTHING
        stretch = heart.stretch
        # A busy loop often turns a little late; what is open is no block before the threshold.
        is_short = stretch is None or end - stretch.last < heart.threshold
        if is_short and heart.blocked == self._before:
            return _NOTHING
        opened = heart.open_blocks()
        found = {
            "event_loop.blocked_seconds": round(_blocked(request, opened), 6),
            "event_loop.waited_seconds": round(_waited(heart, request, opened, end), 6),
        }
        return {name: seconds for name, seconds in found.items() if seconds}

    def tell(self, request: Request, message: Message) -> Message:
        """The start of the response, with headers that say what the request took so far."""
        heart = self._heart
        seconds = 0.0 if heart is None else _blocked(request, heart.open_blocks())
        milliseconds = f"{seconds * 1000:.1f}".encode()
        headers = [
            *message.get("headers", ()),
            (b"x-blocking-time", milliseconds),
            (b"server-timing", b"blocking;dur=" + milliseconds),
        ]
        return {**message, "headers": headers}


def _blocked(request: Request, opened: Iterable[Block]) -> float:
    """Seconds for which `request` has held the loop so far, the open stretch included."""
    return request.blocked + sum(each.seconds for each in opened if each.request is request)


def _waited(heart: Heart, request: Request, opened: Iterable[Block], end: float) -> float:
    """Seconds between the beginning of `request` and `end` in which others held the loop."""
    began, mine = request.began, weak(request)
    held = [(each.start, each.end) for each in opened if each.request is not request]
    for start, stop, whose in reversed(heart.past):
        if stop <= began:
            break
        if whose != mine:
            held.append((start, stop))
    return sum(max(0.0, min(end, stop) - max(began, start)) for start, stop in held)
