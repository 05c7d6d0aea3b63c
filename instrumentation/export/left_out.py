"""What can't be encoded is left out of an export: counted, and logged once a minute."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from instrumentation.context import active
from instrumentation.seldom import Seldom

logger = logging.getLogger("instrumentation")


class LeftOut:
    """Takes note of every part of an export that is left out.

    What encodes is the process's and knows no application, so the first one counts.

    Arguments:
        what: the kind of part, as the log names it.

    Attributes:
        count: how many were left out since the process began.
    """

    def __init__(self, what: str, clock: Callable[[], float] = time.monotonic) -> None:
        self.count = 0
        self._what = what
        self._seldom = Seldom(clock)

    def note(self, name: object, error: Exception) -> None:
        """The part of that name is left out because of `error`."""
        self.count += 1
        for telemetry in active[:1]:
            telemetry.families.internal_errors.child("encode").inc()
        if self._seldom.is_news():
            reason = f"{type(error).__name__}: {error}"
            logger.error("the %s %.200r can't be exported: %s", self._what, name, reason)
