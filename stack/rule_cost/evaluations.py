"""How long groups of rules take, noted evaluation by evaluation."""

from __future__ import annotations

import statistics
from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from stack.rule_cost.fleet import STEP_SECONDS

if TYPE_CHECKING:
    from collections.abc import Iterable

_NANOSECONDS: Final = 9


@dataclass(frozen=True)
class Cost:
    """What one size costs; times are seconds that passed.

    Args:
        series: raw series, as Prometheus counts them.
        recorded: series that the rules write.
        mean: what the rules take in a cycle of 15 s, on average.
        busiest: what all evaluations took that began in the busiest 15 s that were seen.
        together: what all groups take once: a cycle in which everything is due.
        cpu: processor time of all expressions once; a busy machine lengthens it little.
        cycle_cpu: processor time of Prometheus in every 15 s, storing the raw samples included.
        others: share of the machine's processors that other programs had meanwhile.
        groups: each group and its seconds, the slowest first.
        rules: likewise for rules.
    """

    series: int
    recorded: int
    mean: float
    busiest: float
    together: float
    cpu: float
    cycle_cpu: float
    others: float
    groups: list[tuple[str, float]]
    rules: list[tuple[str, float]]


class Evaluations:
    """What Prometheus says of its groups whenever it is asked.

    Args:
        since: a Unix time; evaluations that began before are left out.
    """

    def __init__(self, since: float) -> None:
        self._since = since
        self._seen: dict[str, dict[float, float]] = {}
        self._rules: dict[str, dict[float, float]] = defaultdict(dict)
        self._intervals: dict[str, float] = {}

    def note(self, groups: Iterable[dict[str, Any]]) -> None:
        """Add each group's last evaluation, once."""
        for group in groups:
            name = group["name"]
            self._intervals[name] = group["interval"]
            self._add(self._seen.setdefault(name, {}), group)
            for nth, rule in enumerate(group["rules"], start=1):
                self._add(self._rules[f"{name}[{nth}] {rule['name']}"], rule)

    def complete(self, least: int) -> bool:
        """Whether each group was seen, and the most frequent ones so many times."""
        shortest = min(self._intervals.values(), default=0)
        return bool(self._seen) and all(
            len(times) >= (least if self._intervals[name] == shortest else 1)
            for name, times in self._seen.items()
        )

    def cost(
        self, *, series: int, recorded: int, cpu: float, cycle_cpu: float, others: float
    ) -> Cost:
        """Sum up, with what was measured beside it; see `Cost`."""
        groups = _slowest_first(self._seen)
        return Cost(
            series=series,
            recorded=recorded,
            mean=sum(took * STEP_SECONDS / self._intervals[name] for name, took in groups),
            busiest=self._busiest(),
            together=sum(took for _, took in groups),
            cpu=cpu,
            cycle_cpu=cycle_cpu,
            others=others,
            groups=groups,
            rules=_slowest_first(self._rules),
        )

    def _busiest(self) -> float:
        starts = (began for times in self._seen.values() for began in times)
        return max((self._within(start) for start in starts), default=0)

    def _within(self, start: float) -> float:
        """Sum what began in the 15 s from `start`; a group that came early counts once."""
        end = start + STEP_SECONDS
        return sum(
            max((took for began, took in times.items() if start <= began < end), default=0)
            for times in self._seen.values()
        )

    def _add(self, times: dict[float, float], told: dict[str, Any]) -> None:
        began = _unix(told["lastEvaluation"])
        if began >= self._since:
            times[began] = told["evaluationTime"]


def _slowest_first(seen: dict[str, dict[float, float]]) -> list[tuple[str, float]]:
    medians = [(name, statistics.median(times.values())) for name, times in seen.items() if times]
    return sorted(medians, key=lambda each: -each[1])


def _unix(text: str) -> float:
    """Read a time with nanoseconds, of which Python keeps microseconds."""
    whole, _, rest = text.partition(".")
    if not rest:
        return datetime.fromisoformat(text).timestamp()
    digits = "".join(each for each in rest[:_NANOSECONDS] if each.isdigit())
    zone = rest.lstrip("0123456789")
    return datetime.fromisoformat(whole + zone).timestamp() + float(f"0.{digits}")
