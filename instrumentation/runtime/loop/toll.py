"""What the event loop cost one request, and what the request cost the loop."""

from __future__ import annotations

from typing import Any, Final

from starlette.types import Message

from instrumentation.context import Request
from instrumentation.runtime.loop.heart import Heart, weak
from instrumentation.runtime.loop.watchdog import here

_NOTHING: Final[dict[str, Any]] = {}


class Toll:
    """Made when the request begins; as long as nothing blocks, it costs two comparisons."""

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
        if heart is None or (heart.blocked == self._before and heart.stretch is None):
            return _NOTHING
        blocked, waited = _sums(heart, request, end)
        found = {
            "event_loop.blocked_seconds": round(blocked, 6),
            "event_loop.waited_seconds": round(waited, 6),
        }
        return {name: seconds for name, seconds in found.items() if seconds}

    def tell(self, request: Request, message: Message) -> Message:
        """The start of the response, with headers that say what the request took so far."""
        seconds = 0.0 if self._heart is None else self._heart.blocked_by(request)
        milliseconds = f"{seconds * 1000:.1f}".encode()
        headers = [
            *message.get("headers", ()),
            (b"x-blocking-time", milliseconds),
            (b"server-timing", b"blocking;dur=" + milliseconds),
        ]
        return {**message, "headers": headers}


def _sums(heart: Heart, request: Request, end: float) -> tuple[float, float]:
    """Seconds for which `request` held the loop, and in which others did, until `end`."""
    began, mine = request.began, weak(request)
    blocked, held = request.blocked, []
    for block in heart.open_blocks():
        if block.request is request:
            blocked += block.seconds
        else:
            held.append((block.start, block.end))
    for start, stop, whose in reversed(heart.past):
        if stop <= began:
            break
        if whose != mine:
            held.append((start, stop))
    return blocked, sum(max(0.0, min(end, stop) - max(began, start)) for start, stop in held)
