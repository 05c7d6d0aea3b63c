"""Recordings that no alert needs: quantiles and shares over longer windows, and last week's.

Dashboards read them beyond a few hours. All are made of other recordings, the longer windows of the
shorter ones'.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from alerts.model import Group, Record
from instrumentation.contract import promql, recordings
from instrumentation.contract.recorded import (
    BUCKETS,
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

_LEVELS: Final = (SERVICE, ROUTE)
_QUANTILES: Final = (0.5, 0.95, 0.99)


def groups(numbers: Numbers) -> tuple[Group, ...]:
    """Record what is looked at, the more seldom the longer its window."""
    levels, base = numbers.objectives, numbers.errors.window
    half_hour, hour, day_part = (
        levels.burn_fast.short,
        levels.burn_fastest.window,
        levels.burn_fast.window,
    )
    of_5m, of_1h = BUCKETS["5m"].at(ROUTE), BUCKETS["1h"].at(ROUTE)
    shortest = (
        *_quantiles("5m", of_5m),
        *_ratios("5m", base, base),
    )
    short = (
        *_quantiles("30m", promql.mean(of_5m, half_hour - base)),
        *_ratios("30m", half_hour, base),
        Record(of_1h, promql.mean(of_5m, hour - base)),
        *_quantiles("1h", of_1h),
        *_ratios("1h", hour, base),
        *_last_week(),
    )
    long = (
        *_quantiles("6h", promql.mean(of_1h, day_part - hour)),
        *_ratios("6h", day_part, base),
        *(
            Record(REQUESTS_6H.at(level), recordings.mean(REQUESTS_5M.at(level), day_part, base))
            for level in _LEVELS
        ),
    )
    return (
        Group("views-5m", numbers.intervals.usual, shortest),
        Group("views-1h", numbers.intervals.usual, short),
        Group("views-6h", numbers.intervals.seldom, long),
    )


def _quantiles(window: str, buckets: str) -> list[Record]:
    return [
        Record(QUANTILES[q, window].at(level), recordings.quantile(q, buckets, level))
        for level in _LEVELS
        for q in _QUANTILES
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
