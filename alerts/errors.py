"""Errors: requests fail through the service's own fault."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from alerts import words
from alerts.model import Alert, Group, Record
from instrumentation.contract import queries
from instrumentation.contract.recorded import (
    ERRORS_1H,
    ERRORS_5M,
    REQUESTS_1H,
    REQUESTS_5M,
    ROUTE,
    SERVICE,
    Level,
)

if TYPE_CHECKING:
    from instrumentation.contract.slo import Numbers

NAME: Final = "HighErrorRatio"

_FAILED: Final = {"tags": "error=true"}


def groups(numbers: Numbers) -> tuple[Group, ...]:
    """Record requests and errors, and alert on too large a share."""
    recordings = [rule for level in (SERVICE, ROUTE) for rule in _recordings(level, numbers)]
    alerts = (
        Alert(
            name=NAME,
            expression=queries.high_error_ratio(SERVICE, numbers),
            wait=numbers.errors.wait,
            severity="critical",
            level=SERVICE,
            summary="{{ $labels.job }} fails too many requests",
            description=_description(numbers),
            traces=_FAILED,
        ),
        Alert(
            name=NAME,
            expression=queries.high_error_ratio(ROUTE, numbers),
            wait=numbers.errors.wait,
            severity="warning",
            level=ROUTE,
            summary="{{ $labels.http_route }} of {{ $labels.job }} fails too many requests",
            description=_description(numbers),
            traces=_FAILED,
        ),
    )
    return (Group("errors", numbers.intervals.evaluation, (*recordings, *alerts)),)


def _recordings(level: Level, numbers: Numbers) -> list[Record]:
    windows = (
        (numbers.errors.window, REQUESTS_5M, ERRORS_5M),
        (numbers.errors.long_window, REQUESTS_1H, ERRORS_1H),
    )
    rules = []
    for window, requests, errors in windows:
        rules.append(Record(requests.at(level), queries.request_rate(level.labels, window)))
        rules.append(Record(errors.at(level), queries.error_rate(level.labels, window)))
    return rules


def _description(numbers: Numbers) -> str:
    short, long = numbers.errors.window, numbers.errors.long_window
    return (
        "{{ $value | humanizePercentage }} of its requests failed with a 5xx, more than "
        f"{words.percent(numbers.errors.ratio)} (over {words.span(short)}; over the last "
        f"{words.span(long)} where few requests come)."
    )
