"""One alert's life in promtool: silent, firing with its whole message, resolved."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.alerts.messages import message
from tests.alerts.promtool import Simulation


@dataclass(frozen=True, kw_only=True)
class Life:
    """What a rule must do with some series, evaluated every 15 s.

    Args:
        alert: its name.
        files: the generated files that hold it and what it reads.
        series: what a service exported.
        start: second of the evaluation that first finds the condition true.
        firing: a minute at which the alert must fire, with `said`.
        silent: minutes at which it must not, before and after.
        said: the message's parts, see `message`.
    """

    alert: str
    files: tuple[str, ...]
    series: Iterable[dict[str, str]]
    start: int
    firing: int
    silent: tuple[int, ...]
    said: Mapping[str, Any] = field(default_factory=dict)

    def check(self, work: Path) -> None:
        """Raise AssertionError with promtool's words where it is otherwise."""
        fires = {
            "eval_time": f"{self.firing}m",
            "alertname": self.alert,
            "exp_alerts": [message(self.alert, self.start, **self.said)],
        }
        rests = [
            {"eval_time": f"{minute}m", "alertname": self.alert, "exp_alerts": []}
            for minute in self.silent
        ]
        simulation = Simulation(self.files, list(self.series), evaluate="15s")
        simulation.run(work, alert_rule_test=[fires, *rests])


def silent(
    alert: str, files: tuple[str, ...], series: Iterable[dict[str, str]], work: Path
) -> None:
    """Demand that an alert fires at no time in an hour."""
    asked = {
        "expr": f'max_over_time(count(ALERTS{{alertname="{alert}",alertstate="firing"}})[1h:30s])',
        "eval_time": "1h",
        "exp_samples": [],
    }
    Simulation(files, list(series)).run(work, promql_expr_test=[asked])
