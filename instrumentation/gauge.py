"""Gauges of what is going on, counted up and down with each request."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from typing import Any

import prometheus_client

from instrumentation.export import directory
from instrumentation.lock import SharedLock

_reading = SharedLock()


class Gauge(prometheus_client.Gauge):
    """Is to its users what prometheus-client's is.

    That one checks at each step whether it is a parent, which has children and no value. Here only
    children are counted with; a parent has an AttributeError.
    """

    def inc(self, amount: float = 1) -> None:
        """See `prometheus_client.Gauge.inc`."""
        self._value.inc(amount)

    def dec(self, amount: float = 1) -> None:
        """See `prometheus_client.Gauge.dec`."""
        self._value.inc(-amount)


class Ongoing(Gauge):
    """What has begun and not ended yet: of two counters, which take no lock, the difference.

    Attributes:
        began, ended: to be called where something does, from any thread.
    """

    began: Callable[[], Any]
    ended: Callable[[], Any]

    def _metric_init(self) -> None:
        super()._metric_init()
        if directory.in_memory():
            self.began, self.ended = count().__next__, count().__next__
            self.set_function(self._difference)
        else:
            self.began, self.ended = self.inc, self.dec

    def _difference(self) -> float:
        # A counter can't be read without counting; both have counted as many readings. What begins
        # and ends between the two is going on, rather than the contrary.
        with _reading:
            over: int = self.ended()
            begun: int = self.began()
        return begun - over
