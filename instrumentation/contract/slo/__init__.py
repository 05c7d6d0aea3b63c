"""Every number of the service levels: the seed of every rule and dashboard.

A number is changed here and nowhere else; `python -m alerts` and `python -m dashboards` then carry
it on. What a user may set is a field of a section (`DEFAULTS.errors.ratio`), and functions that
read it are given the `Numbers` in question; what the contract itself rests on is a constant.
"""

from __future__ import annotations

from typing import Final

from instrumentation.contract.objective import LATENCY_OBJECTIVE_SECONDS
from instrumentation.contract.slo.kinds import WEEK, Kind
from instrumentation.contract.slo.numbers import (
    DEFAULTS,
    MIN_SCRAPES_IN_WINDOW,
    SCRAPE_INTERVAL_SECONDS,
    Numbers,
    keyed,
)
from instrumentation.contract.slo.objectives import Burn

__all__ = [
    "CLOCK_CHANGE_MONTHS",
    "COLLECTOR_JOB",
    "DEFAULTS",
    "ERROR_STATUS",
    "LATENCY_OBJECTIVE_SECONDS",
    "MAX_SCALE",
    "MIN_SCRAPES_IN_WINDOW",
    "PAST_WEEKS_SECONDS",
    "PROMETHEUS_JOB",
    "REFUSED_STATUS",
    "SCRAPE_INTERVAL_SECONDS",
    "TICKET_JOBS",
    "Burn",
    "Kind",
    "Numbers",
    "keyed",
]

MAX_SCALE: Final = 10
"""The largest factor by which a drill may shorten windows, waits and intervals."""
PAST_WEEKS_SECONDS: Final = (1 * WEEK, 2 * WEEK, 3 * WEEK)
"""How far back a usual value looks. The median of three weeks outvotes one holiday."""
ERROR_STATUS: Final = "5.."
"""A regular expression: the statuses that are the service's own fault."""
REFUSED_STATUS: Final = "4.."
"""A regular expression: the statuses of requests that were refused, whose duration says nothing."""
CLOCK_CHANGE_MONTHS: Final = (3, 4, 10, 11)
"""Months in which clocks change somewhere, or did within the past weeks that are compared with."""

COLLECTOR_JOB: Final = "otel-collector"
PROMETHEUS_JOB: Final = "prometheus"
TICKET_JOBS: Final = ("jaeger",)
"""Jobs whose loss no user feels and that blinds no alert: a ticket, not a page."""
