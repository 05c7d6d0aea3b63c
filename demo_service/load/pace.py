"""How many simulated users there are, and when each of them acts."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from locust import LoadTestShape

from demo_service import shape
from demo_service.load import PERIOD_SECONDS

if TYPE_CHECKING:
    from collections.abc import Callable

# All at once: the change of a factor is meant to be a step. Locust warns above 100.
_SPAWN_RATE = 100


class DailyShape(LoadTestShape):
    """Holds the number of users at what `shape.rate` asks for, times a factor.

    `base` is the mean rate in requests a second, `clock` gives Unix time in seconds.
    """

    def __init__(self, base: float, clock: Callable[[], float] = time.time) -> None:
        super().__init__()  # type: ignore[no-untyped-call] # Locust leaves it so
        self._base = base
        self._clock = clock
        self.factor = 1.0

    @property
    def rate(self) -> float:
        """Requests a second that are aimed at now."""
        return shape.rate(self._clock(), self._base) * self.factor

    def tick(self) -> tuple[int, float]:
        """Return the number of users wanted and the users to start or stop a second."""
        return round(self.rate * PERIOD_SECONDS), _SPAWN_RATE
