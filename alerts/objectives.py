"""Objectives: what is promised over four weeks is being spent too fast.

They see what the other symptoms can't: a service that is slow as a whole keeps its ratio, and a
share of errors below the threshold is much in a day.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from alerts import words
from alerts.model import Alert, Group, Record
from instrumentation.contract import budgets, promql, queries, recordings
from instrumentation.contract.recorded import (
    SERVICE,
    SLOW_1H,
    SLOW_5M,
    SLOW_RATIO,
    SLOW_RATIO_USUAL,
    TIMED_1H,
    TIMED_5M,
)

if TYPE_CHECKING:
    from alerts.model import Severity
    from instrumentation.contract.budgets import Budget
    from instrumentation.contract.slo import Burn, Numbers

AVAILABILITY: Final = "AvailabilityBudgetBurn"
LATENCY: Final = "LatencyBudgetBurn"


def groups(numbers: Numbers) -> tuple[Group, ...]:
    """Record slow requests and every window's shares, and alert on the burn rates."""
    base, hour = numbers.errors.window, numbers.errors.long_window
    every = numbers.intervals.usual
    rates = (
        Record(TIMED_5M.at(SERVICE), queries.judged_requests(SERVICE.labels, base)),
        Record(SLOW_5M.at(SERVICE), recordings.slow(TIMED_5M, base, numbers.objectives.latency)),
        *(
            Record(longer.at(SERVICE), recordings.mean(shorter.at(SERVICE), hour, base, every))
            for longer, shorter in ((TIMED_1H, TIMED_5M), (SLOW_1H, SLOW_5M))
        ),
    )
    usual = Record(
        SLOW_RATIO_USUAL.at(SERVICE), recordings.usual(SLOW_RATIO["1h"], SERVICE, numbers)
    )
    recorded: tuple[Record, ...] = (*rates, *_ratios(numbers), usual)
    rules: tuple[Record | Alert, ...] = (*recorded, *_alerts(numbers))
    return (Group("objectives", numbers.intervals.usual, rules),)


def _ratios(numbers: Numbers) -> list[Record]:
    rules = []
    for budget in (budgets.AVAILABILITY, budgets.LATENCY):
        for name, window in budgets.windows(numbers).items():
            share = recordings.ratio(
                budget.bad, budget.whole, SERVICE, window, numbers.errors.window
            )
            rules.append(Record(budget.ratio[name].at(SERVICE), share))
    return rules


def _alerts(numbers: Numbers) -> tuple[Alert, ...]:
    levels = numbers.objectives
    pages = {("1h", "5m"): levels.burn_fastest, ("6h", "30m"): levels.burn_fast}
    # Errors need no quicker one: HighErrorRatio pages at 1 % within minutes.
    slow_pages = {("30m", "5m"): levels.burn_sudden, **pages}
    tickets = {("1d", "2h"): levels.burn_slow, ("3d", "6h"): levels.burn_slowest}
    failing, slow = 1 - levels.availability, 1 - levels.fast
    unusual = budgets.unusually_slow(numbers)

    def burning(budget: Budget, share: float, burns: dict[tuple[str, str], Burn]) -> str:
        return budgets.burning(budget, share, burns, numbers)

    return (
        _failing(burning(budgets.AVAILABILITY, failing, pages), "critical", numbers),
        _failing(burning(budgets.AVAILABILITY, failing, tickets), "warning", numbers),
        _slow(
            promql.every(f"({burning(budgets.LATENCY, slow, slow_pages)})", unusual),
            "critical",
            numbers,
        ),
        _slow(burning(budgets.LATENCY, slow, tickets), "warning", numbers),
    )


def _failing(expression: str, severity: Severity, numbers: Numbers) -> Alert:
    levels = numbers.objectives
    return Alert(
        name=AVAILABILITY,
        expression=expression,
        wait=levels.wait,
        severity=severity,
        level=SERVICE,
        summary="{{ $labels.job }} spends its error budget too fast",
        description="Errors (5xx) spend the budget {{ $value | humanize }} times as fast as "
        f"{words.percent(levels.availability)} over {words.span(levels.period)} allow.",
        traces={"tags": "error=true"},
    )


def _slow(expression: str, severity: Severity, numbers: Numbers) -> Alert:
    levels = numbers.objectives
    return Alert(
        name=LATENCY,
        expression=expression,
        wait=levels.wait,
        severity=severity,
        level=SERVICE,
        summary="{{ $labels.job }} answers too slowly",
        description=f"Requests of more than {levels.latency:g} s spend the budget "
        f"{{{{ $value | humanize }}}} times as fast as {words.percent(levels.fast)} within that "
        f"time over {words.span(levels.period)} allow.",
        traces={"minDuration": f"{levels.latency * 1000:g}ms"},
    )
