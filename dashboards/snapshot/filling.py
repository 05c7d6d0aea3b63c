"""Fills in what Grafana would: variables, the range and its windows."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from instrumentation.contract import promql, slo

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dashboards.model import Variable

_SCRAPES: Final = slo.MIN_SCRAPES_IN_WINDOW
_POINTS: Final = 240
"""As many as a panel of a page has pixels to show, three each."""


@dataclass(frozen=True, slots=True)
class Range:
    """What is looked at, in Unix seconds, and how often services are scraped."""

    start: float
    end: float
    scrape: float = slo.SCRAPE_INTERVAL_SECONDS

    def __post_init__(self) -> None:
        if self.end <= self.start:
            raise ValueError(f"--to: must be after --from, {self.start:.0f}, not {self.end:.0f}")

    @property
    def seconds(self) -> float:
        """Its length."""
        return self.end - self.start

    def step(self, least: float = 0) -> float:
        """Seconds between two points, of which there are as many as can be seen."""
        return max(least, self.scrape, self.seconds / _POINTS)

    def rate_interval(self, step: float) -> float:
        """Grafana's `$__rate_interval`: four scrapes, or one step and a scrape."""
        return max(_SCRAPES * self.scrape, step + self.scrape)


def chosen(variables: tuple[Variable, ...], given: Mapping[str, str]) -> dict[str, str]:
    """Return each variable's value as a regular expression; what is not given is everything.

    Raises ValueError for a name that no variable has, and for a window that is not recorded.
    """
    names = {variable.name for variable in variables}
    unknown = sorted(set(given) - names)
    if unknown:
        raise ValueError(f"--var: must be one of {', '.join(sorted(names))}, not {unknown[0]}")
    values = {}
    for variable in variables:
        value = given.get(variable.name, "")
        if variable.options and value and value not in variable.options:
            offered = ", ".join(variable.options)
            raise ValueError(f"--var {variable.name}: must be one of {offered}, not {value}")
        if variable.options:
            values[variable.name] = value or variable.default or variable.options[0]
        else:
            values[variable.name] = re.escape(value).replace("\\-", "-") if value else ".*"
    return values


def filled(expression: str, values: Mapping[str, str], seen: Range, step: float) -> str:
    """Return the expression as Prometheus is asked it."""
    windows = {
        promql.RATE_INTERVAL: promql.duration(seen.rate_interval(step)),
        promql.RANGE: promql.duration(seen.seconds),
    }
    for name, value in windows.items():
        expression = expression.replace(name, value)
    for name, value in values.items():
        # Within a string of PromQL a backslash is written twice.
        expression = expression.replace(f"${name}", value.replace("\\", "\\\\"))
    return expression
