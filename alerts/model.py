"""Recording rules, alerts and groups, before they become YAML."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal

from instrumentation.contract import slo

if TYPE_CHECKING:
    from instrumentation.contract.recorded import Level

Severity = Literal["critical", "warning", "info", "none"]
"""`critical` pages, `warning` is a ticket, `info` is read later, `none` is Watchdog's."""

Kind = Literal["symptom", "signal", "cause", "watcher"]
"""What users feel, what responses say, why it may be, and whether the telemetry itself works."""


@dataclass(frozen=True, slots=True)
class Record:
    """A recording rule: the series `name` is what `expression` says."""

    name: str
    expression: str


@dataclass(frozen=True, slots=True)
class Alert:
    """An alert of one severity at one level.

    Args:
        name: also the name of its runbook.
        expression: returns a series for each offender, with the labels of `level`.
        wait: seconds for which the expression must hold.
        level: what one alert stands for: a service, a route, or a part of a service.
        summary: one line, as a Prometheus template.
        description: how much of what, and what it means, as a Prometheus template.
        labels: further labels, for an expression whose series lack them.
        kind: a symptom's message names the causes that fire, and only a cause is silenced by
            nothing but the collector's loss.
        traces: parameters of Jaeger's search that find the requests in question, such as
            `{"minDuration": "300ms"}`.
    """

    name: str
    expression: str
    wait: float
    severity: Severity
    level: Level
    summary: str
    description: str
    labels: tuple[tuple[str, str], ...] = ()
    kind: Kind = "symptom"
    traces: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Group:
    """Rules that are evaluated one after another, every `interval` seconds.

    What one rule records, the rules below it read.
    """

    name: str
    interval: float
    rules: tuple[Record | Alert, ...]


@dataclass(frozen=True, slots=True)
class Scale:
    """Shortens waits and intervals by one factor, as `Numbers.scaled` does all of a rule's.

    Scrapes are shortened by the same factor (elsewhere), so every window holds as many of them
    as before. Raises ValueError for a factor that is not from 1 to 10.
    """

    factor: float = 1

    def __post_init__(self) -> None:
        if not 1 <= self.factor <= slo.MAX_SCALE:
            raise ValueError(f"scale: must be from 1 to {slo.MAX_SCALE}, not {self.factor:g}")

    def __call__(self, seconds: float) -> float:
        """Shorten a time, in seconds."""
        return seconds / self.factor


UNSCALED: Final = Scale()
