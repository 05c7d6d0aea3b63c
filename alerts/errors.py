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
    windows = (
        (numbers.errors.window, REQUESTS_5M, ERRORS_5M),
        # From the raw counters too: of the mean of five-minute rates, the newest five minutes are
        # only a part, and five errors in a quiet hour would be known five minutes later.
        (numbers.errors.long_window, REQUESTS_1H, ERRORS_1H),
    )
    rules = []
    for window, requests, failed in windows:
        rules += [
            Record(requests.at(ROUTE), queries.request_rate(ROUTE.labels, window)),
            Record(failed.at(ROUTE), recordings.errors(failed, requests, window)),
            Record(requests.at(SERVICE), recordings.summed(requests)),
            Record(failed.at(SERVICE), recordings.summed(failed)),
        ]
    return rules


def _description(numbers: Numbers) -> str:
    short, long = numbers.errors.window, numbers.errors.long_window
    return (
        "{{ $value | humanizePercentage }} of its requests failed with a 5xx, more than "
        f"{words.percent(numbers.errors.ratio)} (over {words.span(short)}; over the last "
        f"{words.span(long)} where few requests come)."
    )
