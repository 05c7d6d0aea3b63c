"""This week beside the one before, of recorded series only."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from instrumentation.contract import promql, slo
from instrumentation.contract.recorded import ERRORS_5M, REQUESTS_5M, ROUTE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from instrumentation.contract.recorded import Level, Recorded

WEEK: Final = slo.PAST_WEEKS_SECONDS[0]
_FEWEST: Final = slo.DEFAULTS.traffic.min_requests


def mean(
    quantity: Recorded, level: Level, window: float, matchers: Sequence[str], ago: float = 0
) -> str:
    """Mean of a recorded series over a window that ended `ago` seconds before."""
    series = promql.selector(quantity.at(level), matchers)
    back = f" offset {promql.duration(ago)}" if ago else ""
    return f"avg_over_time({series}[{promql.duration(window)}]{back})"


def change(quantity: Recorded, level: Level, matchers: Sequence[str]) -> str:
    """By which share this week's mean differs from last week's: 0.5 is half as much again."""
    now = mean(quantity, level, WEEK, matchers)
    return f"{now} / ({mean(quantity, level, WEEK, matchers, WEEK)} > 0) - 1"


def error_ratio(level: Level, window: float, matchers: Sequence[str], ago: float = 0) -> str:
    """Share of the requests of a window that failed with a 5xx."""
    requests = mean(REQUESTS_5M, level, window, matchers, ago)
    return f"{mean(ERRORS_5M, level, window, matchers, ago)} / ({requests} > 0)"


def regressions(quantity: Recorded, matchers: Sequence[str]) -> str:
    """By which share the ten most slowed routes slowed; those with few requests aside."""
    requests = mean(REQUESTS_5M, ROUTE, WEEK, matchers)
    grown = f"{change(quantity, ROUTE, matchers)} > 0"
    return f"topk(10, ({grown}) and {requests} * {WEEK:g} >= {_FEWEST:g})"
