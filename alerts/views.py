"""Recordings that no alert needs: quantiles and shares over longer windows, and last week's.

All are made of other recordings, the longer windows of the shorter ones'.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from alerts.model import Group, Record
from instrumentation.contract import budgets, recordings
from instrumentation.contract.recorded import (
    BUCKETS_1H,
    BUCKETS_5M,
    ERROR_RATIO,
    ERRORS_5M,
    ERRORS_30M,
    LAST_WEEK,
    QUANTILES,
    REQUESTS_5M,
    REQUESTS_6H,
    ROUTE,
    ROUTE_REQUESTS_30M,
    SERVICE,
)

if TYPE_CHECKING:
    from instrumentation.contract.recorded import Level
    from instrumentation.contract.slo import Numbers

_QUANTILES: Final = (0.5, 0.95, 0.99)


def groups(numbers: Numbers) -> tuple[Group, ...]:
    """Record what is looked at, more seldom what reads much."""
    usual, seldom = numbers.intervals.usual, numbers.intervals.seldom
    base, hour = numbers.errors.window, budgets.windows(numbers)["1h"]
    shortest = (
        *_of_services("5m", base, numbers),
        *_quantiles("5m", ROUTE, BUCKETS_5M.at(ROUTE)),
        _ratio("5m", recordings.ratio(ERRORS_5M, REQUESTS_5M, ROUTE, base, base)),
    )
    short = (
        *_of_services("30m", budgets.windows(numbers)["30m"], numbers),
        *_of_services("1h", hour, numbers),
        *_half_an_hour(numbers),
        _ratio("1h", recordings.ratio(ERRORS_5M, REQUESTS_5M, ROUTE, hour, base)),
        *_last_week(),
    )
    return (
        Group("views-5m", usual, shortest),
        Group("views-1h", usual, short),
        Group("views-6h", seldom, _six_hours(numbers)),
        Group("views-routes", seldom, _hour_of_routes(numbers)),
    )


def _of_services(name: str, window: float, numbers: Numbers) -> tuple[Record, ...]:
    return _quantiles(name, SERVICE, recordings.buckets(SERVICE, window, numbers))


def _half_an_hour(numbers: Numbers) -> tuple[Record, ...]:
    # Ratios of the services are the objectives' own, and so is what they are made of.
    base, half = numbers.errors.window, budgets.windows(numbers)["30m"]
    pairs = ((REQUESTS_5M, ROUTE_REQUESTS_30M), (ERRORS_5M, ERRORS_30M))
    means = (
        Record(mean.at(ROUTE), recordings.mean(short.at(ROUTE), half, base))
        for short, mean in pairs
    )
    return (
        *means,
        _ratio("30m", recordings.ratio(ERRORS_30M, ROUTE_REQUESTS_30M, ROUTE, half, half)),
    )


def _six_hours(numbers: Numbers) -> tuple[Record, ...]:
    windows, base = budgets.windows(numbers), numbers.errors.window
    half, day_part = windows["30m"], windows["6h"]
    requests, errors = (
        recordings.mean(each.at(ROUTE), day_part, half, numbers.intervals.usual)
        for each in (ROUTE_REQUESTS_30M, ERRORS_30M)
    )
    return (
        *_of_services("6h", day_part, numbers),
        Record(REQUESTS_6H.at(SERVICE), recordings.mean(REQUESTS_5M.at(SERVICE), day_part, base)),
        Record(REQUESTS_6H.at(ROUTE), requests),
        _ratio("6h", f"{errors}\n/ ({REQUESTS_6H.at(ROUTE)} > 0)"),
    )


def _hour_of_routes(numbers: Numbers) -> tuple[Record, ...]:
    name, hour = BUCKETS_1H.at(ROUTE), budgets.windows(numbers)["1h"]
    return (
        Record(name, recordings.buckets(ROUTE, hour, numbers)),
        *_quantiles("1h", ROUTE, name),
    )


def _quantiles(name: str, level: Level, buckets: str) -> tuple[Record, ...]:
    return tuple(
        Record(QUANTILES[q, name].at(level), recordings.quantile(q, buckets)) for q in _QUANTILES
    )


def _ratio(window: str, expression: str) -> Record:
    return Record(ERROR_RATIO[window].at(ROUTE), expression)


def _last_week() -> list[Record]:
    return [
        Record(copy.at(level), recordings.last_week(quantity, level))
        for quantity, copy in LAST_WEEK.items()
        for level in copy.levels
    ]
