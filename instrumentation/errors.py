"""What happens to an error inside the instrumentation: counted, logged, never a user's problem."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from instrumentation.seldom import Seldom
from instrumentation.series import Families

logger = logging.getLogger("instrumentation")


class InternalErrors:
    """Counts every internal error by the part it came from and logs one a minute for each part."""

    def __init__(self, families: Families, clock: Callable[[], float] = time.monotonic) -> None:
        self._families = families
        self._seldom = Seldom(clock)

    def report(self, part: str, error: BaseException) -> None:
        """Take note of `error`, which `part` caught."""
        self._families.internal_errors.child(part).inc()
        if self._seldom.is_news(part):
            logger.error("the %s instrumentation failed; requests go on", part, exc_info=error)
