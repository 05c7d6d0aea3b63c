"""Long tails: a few users wait many times as long as most."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from alerts import words
from alerts.model import Alert, Group, Record
from instrumentation.contract import promql, queries, recordings, symptoms
from instrumentation.contract.recorded import (
    BUCKETS_5M,
    P50_10M,
    P95_10M,
    P99_10M,
    ROUTE,
    SERVICE,
    TAIL_10M,
    TAIL_10M_USUAL,
    TIMED_10M,
    Level,
)

if TYPE_CHECKING:
    from instrumentation.contract.slo import Numbers

NAME: Final = "HighTailLatency"

_LEVELS: Final = (SERVICE, ROUTE)
_QUANTILES: Final = ((0.5, P50_10M), (0.95, P95_10M), (0.99, P99_10M))


def groups(numbers: Numbers) -> tuple[Group, ...]:
    """Record quantiles and tails, and alert on the long and unusual ones."""
    usual = tuple(
        Record(TAIL_10M_USUAL.at(level), recordings.usual(TAIL_10M, level, numbers))
        for level in _LEVELS
    )
    rates = (
        # Reading every raw bucket is what the rules cost most, so it is done once.
        Record(BUCKETS_5M.at(ROUTE), queries.judged_buckets(ROUTE.labels, numbers.errors.window)),
        Record(BUCKETS_5M.at(SERVICE), recordings.summed(BUCKETS_5M)),
        Record(TIMED_10M.at(ROUTE), queries.judged_requests(ROUTE.labels, numbers.tail.window)),
        Record(TIMED_10M.at(SERVICE), recordings.summed(TIMED_10M)),
    )
    recorded = (*rates, *(rule for level in _LEVELS for rule in _recordings(level, numbers)))
    return (
        Group("tail-usual", numbers.intervals.usual, usual),
        Group("tail", numbers.intervals.usual, (*recorded, *_alerts(numbers))),
    )


def _recordings(level: Level, numbers: Numbers) -> list[Record]:
    buckets = recordings.buckets(level, numbers.tail.window, numbers)
    quantiles = [
        Record(quantity.at(level), recordings.quantile(q, buckets)) for q, quantity in _QUANTILES
    ]
    return [*quantiles, Record(TAIL_10M.at(level), recordings.tail_ratio(level, numbers))]


def _alerts(numbers: Numbers) -> tuple[Alert, ...]:
    wait = numbers.tail.wait
    description = _description(numbers)
    slow = {"minDuration": f"{numbers.tail.floor * 1000:g}ms"}
    return (
        Alert(
            name=NAME,
            expression=symptoms.unusual_tail_of_service(numbers),
            wait=wait,
            severity="critical",
            level=SERVICE,
            summary="{{ $labels.job }} has a long latency tail",
            description=f"{description} That is {numbers.tail.unusual:g} times its usual or more.",
            traces=slow,
        ),
        Alert(
            name=NAME,
            expression=symptoms.long_tail_without_past(SERVICE, numbers),
            wait=wait,
            severity="warning",
            level=SERVICE,
            summary="{{ $labels.job }}, which has no past yet, has a long latency tail",
            description=f"{description} Its past is no longer than the last "
            f"{words.span(numbers.tail.min_past)}, so nobody can say whether that is usual: it is "
            "a ticket and no page.",
            traces=slow,
        ),
        Alert(
            name=NAME,
            expression=promql.either(
                symptoms.unusual_tail(ROUTE, numbers),
                symptoms.long_tail_without_past(ROUTE, numbers),
            ),
            wait=wait,
            severity="warning",
            level=ROUTE,
            summary="{{ $labels.http_route }} of {{ $labels.job }} has a long latency tail",
            description=description,
            traces=slow,
        ),
    )


def _description(numbers: Numbers) -> str:
    tail = numbers.tail
    return (
        "The slowest 1 % of requests took {{ $value | humanize }} times the median over the last "
        f"{words.span(tail.window)}, more than {tail.ratio:g} times and more than {tail.floor:g} s."
    )
