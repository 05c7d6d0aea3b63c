"""Long tails: a few users wait many times as long as most."""

from __future__ import annotations

from typing import Final

from alerts.model import Alert, Group, Record, Scale
from instrumentation.contract import promql, queries, slo
from instrumentation.contract.recorded import (
    P50_10M,
    P95_10M,
    P99_10M,
    REQUESTS_10M,
    ROUTE,
    SERVICE,
    TAIL_10M,
    TAIL_10M_USUAL,
    Level,
)

NAME: Final = "HighTailLatency"

_LEVELS: Final = (SERVICE, ROUTE)
_QUANTILES: Final = ((0.5, P50_10M), (0.95, P95_10M), (0.99, P99_10M))
_DESCRIPTION: Final = (
    "The slowest 1 % of requests took {{ $value | humanize }} times the median over the last "
    f"10 minutes, more than {slo.TAIL_RATIO:g} times and more than {slo.TAIL_FLOOR_SECONDS:g} s."
)


def groups(scale: Scale) -> tuple[Group, ...]:
    """Record quantiles and tails, and alert on the long and unusual ones."""
    recordings = [rule for level in _LEVELS for rule in _recordings(level, scale)]
    usual = tuple(
        Record(
            TAIL_10M_USUAL.at(level),
            queries.usual_tail_ratio(level, scale(slo.TAIL_PAST_SECONDS)),
        )
        for level in _LEVELS
    )
    return (
        Group("tail-usual", scale(slo.USUAL_INTERVAL_SECONDS), usual),
        Group("tail", scale(slo.EVALUATION_INTERVAL_SECONDS), (*recordings, *_alerts(scale))),
    )


def _recordings(level: Level, scale: Scale) -> list[Record]:
    window = scale(slo.TAIL_WINDOW_SECONDS)
    quantiles = [
        Record(
            quantity.at(level),
            promql.present(queries.duration_quantile(q, level.labels, window)),
        )
        for q, quantity in _QUANTILES
    ]
    return [
        Record(REQUESTS_10M.at(level), queries.request_rate(level.labels, window)),
        *quantiles,
        Record(TAIL_10M.at(level), queries.tail_ratio(level, window)),
    ]


def _alerts(scale: Scale) -> tuple[Alert, ...]:
    wait = scale(slo.TAIL_FOR_SECONDS)
    return (
        Alert(
            name=NAME,
            expression=queries.unusual_tail(SERVICE),
            wait=wait,
            severity="critical",
            level=SERVICE,
            summary="{{ $labels.job }} has a long latency tail",
            description=f"{_DESCRIPTION} That is {slo.TAIL_UNUSUAL:g} times its usual or more.",
        ),
        Alert(
            name=NAME,
            expression=queries.long_tail_without_past(SERVICE),
            wait=wait,
            severity="warning",
            level=SERVICE,
            summary="{{ $labels.job }}, which has no past yet, has a long latency tail",
            description=f"{_DESCRIPTION} With less than an hour of past nobody can say whether "
            "that is usual, so it is a ticket and no page.",
        ),
        Alert(
            name=NAME,
            expression=promql.either(
                queries.unusual_tail(ROUTE), queries.long_tail_without_past(ROUTE)
            ),
            wait=wait,
            severity="warning",
            level=ROUTE,
            summary="{{ $labels.http_route }} of {{ $labels.job }} has a long latency tail",
            description=_DESCRIPTION,
        ),
    )
