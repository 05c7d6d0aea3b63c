"""What happens to an error inside the instrumentation: counted, logged, never a user's problem."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from instrumentation.series import Families

logger = logging.getLogger("instrumentation")

_LOG_EVERY_SECONDS = 60.0


class InternalErrors:
    """Counts every internal error by the part it came from and logs one a minute for each part."""

    def __init__(self, families: Families, clock: Callable[[], float] = time.monotonic) -> None:
        self._families = families
        self._clock = clock
        self._logged: dict[str, float] = {}

    def report(self, part: str, error: BaseException) -> None:
        """Take note of `error`, which `part` caught."""
        self._families.internal_errors.child(part).inc()
        now = self._clock()
        if now - self._logged.get(part, float("-inf")) >= _LOG_EVERY_SECONDS:
            self._logged[part] = now
            logger.error("the %s instrumentation failed; requests go on", part, exc_info=error)
