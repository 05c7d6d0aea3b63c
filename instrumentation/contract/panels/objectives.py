"""Alerts that fire, what is left of the budgets, and how fast they are spent."""

from __future__ import annotations

from typing import TYPE_CHECKING

from instrumentation.contract import promql, slo
from instrumentation.contract.recorded import (
    ERROR_RATIO,
    ERRORS_5M,
    REQUESTS_5M,
    SERVICE,
    SLOW_5M,
    SLOW_RATIO,
    TIMED_5M,
    Recorded,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

_ALERT = ("alertname", "severity", "job", "http_route")
_CALLING = "critical|warning"
"""What calls somebody: the dead man's switch fires always, and the naive rules often."""
_OBJECTIVES = slo.DEFAULTS.objectives


def fires(matchers: Sequence[str]) -> str:
    """1 for each page or ticket that fires, 0 for one that fired in the range and is over."""
    now = f"max by ({', '.join(_ALERT)}) ({_firing(matchers)})"
    return f"{now} or 0 * {_fired(matchers)}"


def firing_since(matchers: Sequence[str]) -> str:
    """When each page or ticket that fires, or fired in the range, became true, in milliseconds."""
    by = ", ".join(_ALERT)
    # Of ALERTS_FOR_STATE, which has no state, only what fired is wanted.
    since = f"last_over_time({promql.selector('ALERTS_FOR_STATE', matchers)}[{promql.RANGE}])"
    return f"1000 * min by ({by}) ({since}) and on ({by}) {_fired(matchers)}"


def _firing(matchers: Sequence[str]) -> str:
    states = (promql.equals("alertstate", "firing"), promql.matches("severity", _CALLING))
    return promql.selector("ALERTS", (*states, *matchers))


def _fired(matchers: Sequence[str]) -> str:
    last = f"last_over_time({_firing(matchers)}[{promql.RANGE}])"
    return f"max by ({', '.join(_ALERT)}) ({last})"


def availability_left(matchers: Sequence[str], seconds: float) -> str:
    """Share of the availability budget that the last `seconds` left; overspent below zero."""
    return _left(ERRORS_5M, REQUESTS_5M, 1 - _OBJECTIVES.availability, matchers, seconds)


def latency_left(matchers: Sequence[str], seconds: float) -> str:
    """Share of the latency budget that the last `seconds` left; overspent below zero."""
    return _left(SLOW_5M, TIMED_5M, 1 - _OBJECTIVES.fast, matchers, seconds)


def availability_burn(matchers: Sequence[str], window: str) -> str:
    """How many times too fast the availability budget is spent over a recorded window."""
    return _burn(ERROR_RATIO["1h"], 1 - _OBJECTIVES.availability, matchers, window)


def latency_burn(matchers: Sequence[str], window: str) -> str:
    """How many times too fast the latency budget is spent over a recorded window."""
    return _burn(SLOW_RATIO["1h"], 1 - _OBJECTIVES.fast, matchers, window)


def availability_met(matchers: Sequence[str], seconds: float) -> str:
    """Share of the requests of the last `seconds` that did not fail with a 5xx."""
    return f"1 - {_share(ERRORS_5M, REQUESTS_5M, matchers, seconds)}"


def latency_met(matchers: Sequence[str], seconds: float) -> str:
    """Share of the judged requests of the last `seconds` within the latency objective."""
    return f"1 - {_share(SLOW_5M, TIMED_5M, matchers, seconds)}"


def _left(
    bad: Recorded, whole: Recorded, budget: float, matchers: Sequence[str], seconds: float
) -> str:
    return f"1 - {_share(bad, whole, matchers, seconds)} / {budget:.6g}"


def _share(bad: Recorded, whole: Recorded, matchers: Sequence[str], seconds: float) -> str:
    """Means of rates weigh each moment by its requests, as their ratio must."""
    part = promql.mean(promql.selector(bad.at(SERVICE), matchers), seconds)
    return f"{part} / ({promql.mean(promql.selector(whole.at(SERVICE), matchers), seconds)} > 0)"


def _burn(of_an_hour: Recorded, budget: float, matchers: Sequence[str], window: str) -> str:
    name = of_an_hour.at(SERVICE).removesuffix("1h") + window
    return f"{promql.selector(name, matchers)} / {budget:.6g}"
