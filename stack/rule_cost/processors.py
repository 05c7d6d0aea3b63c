"""Who used the processors while something was measured."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

import psutil

from stack.rule_cost.fleet import STEP_SECONDS

if TYPE_CHECKING:
    from stack.rule_cost.server import Server


class Processors:
    """Counts from when it is made."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._began = time.monotonic()
        self._before = self._now()

    def used(self) -> float:
        """Return the seconds of processor time that Prometheus took in each cycle."""
        cycles = (time.monotonic() - self._began) / STEP_SECONDS
        return (self._now()[0] - self._before[0]) / cycles

    def others(self) -> float:
        """Return the share of all processors, from 0 to 1, that neither it nor we took."""
        prometheus, ours, idle = (
            now - before for now, before in zip(self._now(), self._before, strict=True)
        )
        whole = (time.monotonic() - self._began) * (os.cpu_count() or 1)
        return min(1.0, max(0.0, 1 - (prometheus + ours + idle) / whole))

    def _now(self) -> tuple[float, float, float]:
        idle = psutil.cpu_times()
        return (
            self._server.cpu_seconds(),
            time.process_time(),
            float(idle.idle + getattr(idle, "iowait", 0)),
        )
