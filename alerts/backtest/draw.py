"""Parameters drawn by seed, from ranges that are published."""

from __future__ import annotations

import zlib

import numpy as np

Range = tuple[float, float]


class Draw:
    """Draws a scenario's parameters, and remembers from which ranges.

    Args:
        scenario: two scenarios of one seed draw independently.
        seed: the same seed draws the same again.
    """

    def __init__(self, scenario: str, seed: int) -> None:
        self.random = np.random.default_rng([seed, zlib.crc32(scenario.encode())])
        self.ranges: dict[str, Range] = {}

    def evenly(self, what: str, low: float, high: float) -> float:
        """Draw a number between two others."""
        return float(self.random.uniform(*self._known(what, low, high)))

    def by_size(self, what: str, low: float, high: float) -> float:
        """Draw a number whose order of magnitude is even, as of services that differ in size."""
        self._known(what, low, high)
        return float(np.exp(self.random.uniform(np.log(low), np.log(high))))

    def whole(self, what: str, low: int, high: int) -> int:
        """Draw a whole number, both ends included."""
        self._known(what, low, high)
        return int(self.random.integers(low, high, endpoint=True))

    def _known(self, what: str, low: float, high: float) -> Range:
        self.ranges[what] = (low, high)
        return low, high
