"""Who is told what happens to event loops."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from time import perf_counter
from typing import TYPE_CHECKING, Final, Protocol

if TYPE_CHECKING:
    from instrumentation.runtime.loop.stretch import Block
    from instrumentation.telemetry import Telemetry

_ROUTING_SECONDS: Final = 2.0
_PATIENCE_SECONDS: Final = 60.0


class Observer(Protocol):
    """Is told what happens to the event loops that it watches, in the watchdog's thread.

    Attributes:
        threshold: seconds from which on a stretch is reported.
        telemetry: the application whose requests are meant; None means everything.
    """

    threshold: float
    telemetry: Telemetry | None

    def beat(self, late: float) -> None:
        """A heartbeat came `late` seconds late. Called on the loop itself."""

    def blocked(self, block: Block) -> None:
        """Code held the loop."""

    def collected(self, generation: int, pauses: Sequence[float]) -> None:
        """The garbage collector ran, for so many seconds each time."""

    def stalled(self, seconds: float, reason: str) -> None:
        """The loop could not turn, and its code did not cause that."""


def is_routed(block: Block) -> bool:
    """Whether the route of the block's request is known, or will never be."""
    request = block.request
    if request is None or request.track.over or request.track.handed_over:
        return True
    age = perf_counter() - block.end
    return age > _PATIENCE_SECONDS or (age > _ROUTING_SECONDS and bool(request.track.route()))


def tell(observers: Iterable[Observer], block: Block) -> None:
    """Tell the application whose request it was; outside of any, the first one.

    Who observes everything is told too.
    """
    request, first = block.request, True
    for observer in observers:
        theirs = observer.telemetry
        if request is None and theirs is not None:
            concerned, first = first, False
        else:
            concerned = theirs is None or request is None or theirs is request.telemetry
        if concerned and block.seconds >= observer.threshold:
            observer.blocked(block)
