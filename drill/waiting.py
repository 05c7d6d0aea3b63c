"""Waits for a condition, never for ever, and says what it waits for."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Final, TypeVar

import httpx

from drill.errors import MissedError

if TYPE_CHECKING:
    from collections.abc import Callable

POLL_SECONDS: Final = 0.25
HEARTBEAT_SECONDS: Final = 10.0
ATTEMPT_SECONDS: Final = 60.0
"""Longer than a stack takes to end, so that its own words are told and not a refused request."""

T = TypeVar("T")


def say(line: str) -> None:
    """Print one line at once, so that a pipe's reader sees it too."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


class Waiter:
    """Polls conditions.

    Args:
        watch: called at each turn; raises DrillError once waiting is in vain.
    """

    def __init__(self, watch: Callable[[], None]) -> None:
        self._watch = watch

    def until(self, what: str, condition: Callable[[], T | None], seconds: float) -> T:
        """Return the first thing that the condition returns and that is not None.

        A failed HTTP request counts as "not yet": the backends are busy at times.

        Raises:
            MissedError: nothing came within `seconds`.
            DrillError: the stack ended meanwhile.
        """
        clock = _Clock(what, seconds)
        while True:
            self._watch()
            try:
                found = condition()
                hindrance = ""
            except httpx.HTTPError as error:
                found, hindrance = None, f" (last answer: {error})"
            if found is not None:
                return found
            if clock.is_over:
                raise MissedError(f"no {what} within {seconds:.0f} s{hindrance}")
            clock.beat()
            time.sleep(POLL_SECONDS)

    def attempt(self, what: str, act: Callable[[], object]) -> None:
        """Act once, and again while an HTTP request of it fails, which a stack that ends explains.

        Raises:
            MissedError: it failed for too long.
            DrillError: the stack ended meanwhile.
        """

        def once() -> bool:
            act()
            return True

        self.until(what, once, ATTEMPT_SECONDS)

    def during(self, what: str, check: Callable[[], None], seconds: float) -> None:
        """Attempt the check again and again for so many seconds; its exceptions end the wait."""
        clock = _Clock(what, seconds)
        while not clock.is_over:
            self.attempt(f"answer in the wait for {what}", check)
            clock.beat()
            time.sleep(POLL_SECONDS)


class _Clock:
    """Counts a wait's seconds, and shows now and then that it goes on."""

    def __init__(self, what: str, seconds: float) -> None:
        self._what = what
        self._seconds = seconds
        self._started = self._said = time.monotonic()

    @property
    def is_over(self) -> bool:
        return time.monotonic() - self._started >= self._seconds

    def beat(self) -> None:
        now = time.monotonic()
        if now - self._said >= HEARTBEAT_SECONDS:
            self._said = now
            elapsed = f"{now - self._started:.0f} s of at most {self._seconds:.0f} s"
            say(f"  wait for {self._what}: {elapsed}")
