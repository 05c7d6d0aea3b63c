"""Objectives as burn rates: how many times too fast the budget of four weeks is being spent.

The windows and rates are those of the Site Reliability Workbook, "Alerting on SLOs"
(https://sre.google/workbook/alerting-on-slos/): the long window tells that it matters, the short
one that it is still going on.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from instrumentation.contract import promql
from instrumentation.contract import recorded as r
from instrumentation.contract.recorded import SERVICE, Recorded

if TYPE_CHECKING:
    from collections.abc import Mapping

    from instrumentation.contract.slo import Burn, Numbers


@dataclass(frozen=True, slots=True)
class Budget:
    """One objective's recorded series.

    Args:
        ratio: share of bad events, by window.
        bad: bad events a second, over the shortest window.
        whole: all events a second, over the same.
        bad_1h: bad events a second, over an hour.
    """

    ratio: Mapping[str, Recorded]
    bad: Recorded
    whole: Recorded
    bad_1h: Recorded


AVAILABILITY: Final = Budget(r.ERROR_RATIO, r.ERRORS_5M, r.REQUESTS_5M, r.ERRORS_1H)
LATENCY: Final = Budget(r.SLOW_RATIO, r.SLOW_5M, r.TIMED_5M, r.SLOW_1H)


def windows(numbers: Numbers) -> dict[str, float]:
    """Seconds behind the names of the recorded ratios, which a drill shortens."""
    objectives = numbers.objectives
    return {
        "5m": objectives.burn_fastest.short,
        "30m": objectives.burn_fast.short,
        "1h": objectives.burn_fastest.window,
        "2h": objectives.burn_slow.short,
        "6h": objectives.burn_fast.window,
        "1d": objectives.burn_slow.window,
        "3d": objectives.burn_slowest.window,
    }


def burning(
    budget: Budget, share: float, burns: Mapping[tuple[str, str], Burn], numbers: Numbers
) -> str:
    """How many times too fast the budget is spent, where one of the burn rates is exceeded.

    Args:
        budget: the objective.
        share: the share of events that may be bad.
        burns: burn rates by the names of their long and short window.
        numbers: all levels.
    """
    return promql.either(
        *(_burn(budget, share, names, burn, numbers) for names, burn in burns.items())
    )


def unusually_slow(numbers: Numbers) -> str:
    """Services whose share of slow requests is well above what it usually is.

    A service that never met the objective burns its budget all the time: a ticket. Waking somebody
    is for a change, and where few requests come five minutes of them change by chance: the hour
    must hold some slow ones more than an unusual hour would.
    """
    levels = numbers.objectives
    now, usual = r.SLOW_RATIO["5m"].at(SERVICE), r.SLOW_RATIO_USUAL.at(SERVICE)
    slow, timed = r.SLOW_1H.at(SERVICE), r.TIMED_1H.at(SERVICE)
    unusual = f"{levels.unusual:g} * {usual}"
    beyond = f"({slow} - {timed} * {unusual}) * {numbers.errors.long_window:g}"
    return promql.every(f"{now} >= {unusual}", f"{beyond} >= {levels.min_bad:g}")


def _burn(
    budget: Budget, share: float, names: tuple[str, str], burn: Burn, numbers: Numbers
) -> str:
    long, short = names
    # One failed request in a quiet night is more than any burn rate: it takes a few.
    least = f">= {numbers.objectives.min_bad:g}"
    several = " or ".join(
        f"{count} {least}" for count in _counts(budget.bad_1h, burn.window, numbers)
    )
    return promql.every(
        f"{budget.ratio[long].at(SERVICE)} / {share:g} > {burn.rate:g}",
        f"{budget.ratio[short].at(SERVICE)} / {share:g} > {burn.rate:g}",
        f"({several})",
    )


def _counts(bad: Recorded, window: float, numbers: Numbers) -> list[str]:
    """Bad events of the last hour, and those of the whole hours within a longer window.

    A mean over the window would not do: while a service is young it is one of less than the window.
    """
    hour, name = numbers.errors.long_window, bad.at(SERVICE)
    counts = [f"{name} * {hour:g}"]
    if window > hour:
        hours = f"{name}[{promql.duration(window)}:{promql.duration(hour)}]"
        counts.append(f"sum_over_time({hours}) * {hour:g}")
    return counts
