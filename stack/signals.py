"""Turns the signals that ask for an end into an exception."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

ENDING = (signal.SIGINT, signal.SIGTERM)


class Stopped(Exception):  # noqa: N818 - a request, not an error
    """Somebody asked for the end: Ctrl-C, or a SIGTERM.

    Args:
        by_hand: whether it was Ctrl-C, so that somebody is there to read.
    """

    def __init__(self, *, by_hand: bool = False) -> None:
        super().__init__()
        self.by_hand = by_hand


@contextmanager
def stop_signals() -> Iterator[None]:
    """Raise `Stopped` on SIGINT and SIGTERM while the block runs."""

    def stop(signum: int, frame: FrameType | None) -> None:
        raise Stopped(by_hand=signum == signal.SIGINT)

    before = {number: signal.signal(number, stop) for number in ENDING}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def ignore_signals() -> None:
    """Let a second Ctrl-C pass: it must not interrupt the clean-up."""
    for number in ENDING:
        signal.signal(number, signal.SIG_IGN)
