"""What could fill the log, logged once a minute."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

_SECONDS: Final = 60.0
_MOST: Final = 100


class Seldom:
    """Tells when something is news: nothing was said of it for a minute."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._told: dict[str, float] = {}

    def is_news(self, about: str = "") -> bool:
        """Whether it is, and is told now. Of too many things in one minute, none is."""
        now = self._clock()
        if now - self._told.get(about, float("-inf")) < _SECONDS:
            return False
        if about not in self._told and len(self._told) >= _MOST:
            expired = [each for each, at in self._told.items() if now - at >= _SECONDS]
            for each in expired:
                del self._told[each]
            if not expired:
                return False
        self._told[about] = now
        return True
