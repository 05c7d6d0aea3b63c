"""Compares what paged with what should have."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from alerts.backtest.catalog import Incident
    from alerts.backtest.replay import Case, Firing

_NAIVE: Final = {
    "tail": ("NaiveTailLatency",),
    "errors": ("NaiveErrorRatio",),
    "outage": ("NaiveErrorRatio",),
    "traffic": ("NaiveTrafficDrop",),
}
"""The naive formula of each class."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Verdict:
    """What one set of rules made of one case.

    Args:
        case: the scenario and its seed.
        minutes: from the incident's deadline's begin to the first right page; None without one.
        fault: what was wrong with the rules; empty where all was right.
    """

    case: Case
    minutes: float | None
    fault: str

    @property
    def name(self) -> str:
        """Scenario, seed and fault in one line."""
        return f"{self.case.scenario.name}, seed {self.case.seed}: {self.fault}"


Pair = tuple[Verdict, Verdict]
"""On the guarded rules, and on the naive ones."""


def verdicts(cases: Iterable[Case], pages: Firing, naive: Firing) -> Iterator[Pair]:
    """Yield the verdicts on the guarded rules and on the naive ones, case by case."""
    for case in cases:
        incident = case.incident
        right = incident.alerts if incident else ()
        formulas = _NAIVE[incident.kind] if incident else ()
        yield (
            _judge(case, pages.get(case.job, {}), right),
            _judge(case, naive.get(case.job, {}), formulas),
        )


def _judge(case: Case, fired: Mapping[str, float], right: tuple[str, ...]) -> Verdict:
    incident = case.incident
    if incident is None:
        fault = f"paged for nothing: {_list(fired)}" if fired else ""
        return Verdict(case=case, minutes=None, fault=fault)
    early = {alert: minute for alert, minute in fired.items() if minute < incident.begin}
    first = min((fired[alert] for alert in right if alert in fired), default=None)
    minutes = None if first is None else first - incident.full
    fault = (
        f"paged before it began: {_list(early)}" if early else _late(incident, first, fired, right)
    )
    return Verdict(case=case, minutes=minutes, fault=fault)


def _late(
    incident: Incident, first: float | None, fired: Mapping[str, float], right: tuple[str, ...]
) -> str:
    if first is None:
        others = f", only {_list(fired)}" if fired else ""
        return f"no page of {' or '.join(right)}{others}"
    if first > incident.latest:
        return f"paged {first - incident.latest:.0f} min too late: {_list(fired)}"
    return ""


def _list(fired: Mapping[str, float]) -> str:
    return ", ".join(f"{alert} at minute {minute:.0f}" for alert, minute in sorted(fired.items()))
