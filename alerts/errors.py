"""Errors: requests fail through the service's own fault."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from alerts import words
from alerts.model import Alert, Group, Record
from instrumentation.contract import queries, recordings, symptoms
from instrumentation.contract.recorded import (
    ERRORS_1H,
    ERRORS_5M,
    REQUESTS_1H,
    REQUESTS_5M,
    ROUTE,
    SERVICE,
)

if TYPE_CHECKING:
    from instrumentation.contract.recorded import Recorded
    from instrumentation.contract.slo import Numbers

NAME: Final = "HighErrorRatio"

_FAILED: Final = {"tags": "error=true"}


def groups(numbers: Numbers) -> tuple[Group, ...]:
    """Record requests and errors, and alert on too large a share."""
    alerts = (
        Alert(
            name=NAME,
            expression=symptoms.high_error_ratio(SERVICE, numbers),
            wait=numbers.errors.wait,
            severity="critical",
            level=SERVICE,
            summary="{{ $labels.job }} fails too many requests",
            description=_description(numbers),
            traces=_FAILED,
        ),
        Alert(
            name=NAME,
            expression=symptoms.high_error_ratio(ROUTE, numbers),
            wait=numbers.errors.wait,
            severity="warning",
            level=ROUTE,
            summary="{{ $labels.http_route }} of {{ $labels.job }} fails too many requests",
            description=_description(numbers),
            traces=_FAILED,
        ),
    )
    return (Group("errors", numbers.intervals.evaluation, (*_recordings(numbers), *alerts)),)


def _recordings(numbers: Numbers) -> list[Record]:
    short, long = numbers.errors.window, numbers.errors.long_window
    requests = queries.request_rate(ROUTE.labels, short)
    return [
        *_rates(REQUESTS_5M, requests),
        *_rates(ERRORS_5M, recordings.errors(REQUESTS_5M, short)),
        *_rates(REQUESTS_1H, recordings.mean(REQUESTS_5M.at(ROUTE), long, short)),
        # From the raw counters too, of which few have a 5xx: of the mean of five-minute rates, the
        # newest five minutes are only a part, and five errors in a quiet hour would be known five
        # minutes later.
        *_rates(ERRORS_1H, recordings.errors(REQUESTS_1H, long)),
    ]


def _rates(quantity: Recorded, of_routes: str) -> tuple[Record, Record]:
    return (
        Record(quantity.at(ROUTE), of_routes),
        Record(quantity.at(SERVICE), recordings.summed(quantity)),
    )


def _description(numbers: Numbers) -> str:
    short, long = numbers.errors.window, numbers.errors.long_window
    return (
        "{{ $value | humanizePercentage }} of its requests failed with a 5xx, more than "
        f"{words.percent(numbers.errors.ratio)} (over {words.span(short)}; over the last "
        f"{words.span(long)} where few requests come)."
    )
