"""A gauge that goes up and down with each request, without being asked whether it may."""

from __future__ import annotations

import prometheus_client


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
