"""Histogram bounds, in seconds.

No bound is an integer: `le` is spelled `1.0` in the text format and `1` through OTLP, and a
series that changes its name with the way it came is two series.
"""

from __future__ import annotations

from typing import Final

from instrumentation.contract.objective import LATENCY_OBJECTIVE_SECONDS

_FIRST_SECONDS = 0.002
_LAST_SECONDS = 60.0
_STEPS_TO_OBJECTIVE = 25


def _dense() -> tuple[float, ...]:
    """Geometric bounds from 2 ms until 60 s is covered, with the objective among them.

    The factor (1.247) is chosen so that the objective falls on the grid exactly. Linear
    interpolation in `histogram_quantile` is then off by less than 10 % for lognormal
    (σ ≥ 0.3) and exponential latencies.
    """
    factor = (LATENCY_OBJECTIVE_SECONDS / _FIRST_SECONDS) ** (1 / _STEPS_TO_OBJECTIVE)
    bounds = [_FIRST_SECONDS]
    while bounds[-1] < _LAST_SECONDS:
        bounds.append(float(f"{_FIRST_SECONDS * factor ** len(bounds):.4g}"))
    return tuple(bounds)


DENSE: Final = _dense()
"""For the request duration, whose tail is compared with its median."""

DURATION: Final = (
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.5, 2.5, 7.5, 15.5, 30.5,
)  # fmt: skip
"""For outbound calls, database operations, pool waits, thread pools and background tasks."""

PAUSE: Final = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.5, 5.5)
"""For stretches in which the loop or the interpreter stood still."""

CONNECTION: Final = (0.1, 0.5, 2.5, 10.5, 30.5, 60.5, 300.5, 900.5, 3600.5)
"""For connections that live for minutes or hours."""
