"""Recordings that no alert needs: quantiles and shares over longer windows, and last week's.

All are made of other recordings, the longer windows of the shorter ones'.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from alerts.model import Group, Record
from instrumentation.contract import recordings
from instrumentation.contract.recorded import (
    ERROR_RATIO,
    ERRORS_5M,
    LAST_WEEK,
    QUANTILES,
    REQUESTS_5M,
    REQUESTS_6H,
    ROUTE,
    SERVICE,
)

if TYPE_CHECKING:
    from instrumentation.contract.slo import Numbers

_QUANTILES: Final = (0.5, 0.95, 0.99)


def groups(numbers: Numbers) -> tuple[Group, ...]:
    """Record what is looked at, the longest window more seldom."""
    levels, base = numbers.objectives, numbers.errors.window
    half_hour, hour, day_part = (
        levels.burn_fast.short,
        levels.burn_fastest.window,
        levels.burn_fast.window,
    )
    shortest = (*_quantiles("5m", base, numbers), *_ratios("5m", base, base))
    short = (
        *_quantiles("30m", half_hour, numbers),
        *_ratios("30m", half_hour, base),
        *_quantiles("1h", hour, numbers),
        *_ratios("1h", hour, base),
        *_last_week(),
    )
    long = (
        *_quantiles("6h", day_part, numbers),
        *_ratios("6h", day_part, base),
        *(
            Record(REQUESTS_6H.at(level), recordings.mean(REQUESTS_5M.at(level), day_part, base))
            for level in (SERVICE, ROUTE)
        ),
    )
    return (
        Group("views-5m", numbers.intervals.usual, shortest),
        Group("views-1h", numbers.intervals.usual, short),
        Group("views-6h", numbers.intervals.seldom, long),
    )


def _quantiles(name: str, window: float, numbers: Numbers) -> list[Record]:
    # A route has forty times as many buckets as its service, and nobody looks at them all: those of
    # one route are told from its recorded buckets when they are asked for.
    buckets = recordings.buckets(SERVICE, window, numbers)
    return [
        Record(QUANTILES[q, name].at(SERVICE), recordings.quantile(q, buckets)) for q in _QUANTILES
    ]


def _ratios(window: str, seconds: float, base: float) -> list[Record]:
    # Those of the services are the objectives' own.
    return [
        Record(
            ERROR_RATIO[window].at(ROUTE),
            recordings.ratio(ERRORS_5M, REQUESTS_5M, ROUTE, seconds, base),
        )
    ]


def _last_week() -> list[Record]:
    return [
        Record(copy.at(level), recordings.last_week(quantity, level))
        for quantity, copy in LAST_WEEK.items()
        for level in copy.levels
    ]
