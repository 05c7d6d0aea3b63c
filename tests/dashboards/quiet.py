"""Which queries have nothing to say unless something happens, when they must, and why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Quiet:
    """A query that may be empty, except in the windows named.

    Args:
        title: its panel's.
        legend: a word of its legend; empty for every query of the panel.
        speaks: the windows in which it must have data.
        why: what its emptiness means otherwise.
    """

    title: str
    legend: str
    speaks: tuple[str, ...]
    why: str


_LATER = (
    *("errors", "blocked_loop", "slow_dependency", "exhausted_threads", "exhausted_pool"),
    *("fewer_requests", "frozen", "bad_release"),
)
"""When something had gone wrong, and every minute's peak was seen."""
_AFTER_BLOCKING = _LATER[1:]
QUIET = (
    Quiet("Which alerts fire, and since when?", "", _LATER, "all was well until then"),
    Quiet("Which routes slowed most?", "", _LATER, "by chance each is as fast as last week"),
    Quiet("Which line of code blocks the event loop?", "", ("blocked_loop",), "nothing blocked it"),
    Quiet("Does it block the event loop, and where?", "", ("blocked_loop",), "nothing blocked it"),
    Quiet(
        "Are threads, connections or the event loop used up?",
        "loop",
        _AFTER_BLOCKING,
        "no loop ever was",
    ),
    Quiet("What is full while they come?", "loop", _AFTER_BLOCKING, "no loop was ever blocked"),
    Quiet("Does the event loop stand still?", "", _AFTER_BLOCKING, "no loop ever did"),
    Quiet("Is the process starved?", "", ("bad_release",), "no process was ever stopped"),
    Quiet("Are there enough threads?", "peak", _LATER, "the peak is looked for minute by minute"),
    Quiet("Are there enough threads?", "Should", _LATER, "the peak is not known yet"),
    Quiet(
        "Are there enough connections?", "peak", _LATER, "the peak is looked for minute by minute"
    ),
    Quiet("Are there enough connections?", "Should", _LATER, "the peak is not known yet"),
    Quiet("Do clients leave before the answer?", "", ("bad_release",), "all wait for it"),
    Quiet("How often is each dependency asked?", "again", ("bad_release",), "each is reached"),
    Quiet("Does the instrumentation itself fail?", "error", ("frozen",), "it does not"),
    Quiet("Does the instrumentation itself fail?", "folded", ("bad_release",), "no family is full"),
)


def expected(title: str, legend: str, window: str) -> bool:
    """Whether a query must have data in a window."""
    for quiet in QUIET:
        if quiet.title == title and quiet.legend in legend:
            return window in quiet.speaks
    return True


def speaking(title: str, legend: str, windows: Sequence[str]) -> str:
    """A window in which the query must have data: the last one, where most has happened."""
    return next(each for each in reversed(windows) if expected(title, legend, each))
