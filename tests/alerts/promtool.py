"""Runs the generated rules in promtool's simulated time, and asks which alerts fire."""

from __future__ import annotations

import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from alerts.generate import GENERATED
from stack.binaries import binary

Firing = tuple[str, str, str]
"""Alert, job and severity."""

_ASKED = 'count by (alertname, job, severity) (ALERTS{{alertstate="firing", severity=~"{}"}})'


@dataclass(frozen=True)
class Simulation:
    """Rules of some generated files over some series: a sample every `step`.

    `evaluate` is how often the rules are: seldom where weeks pass, for that takes its time.
    Raises AssertionError with promtool's words where an expectation does not hold.
    """

    files: tuple[str, ...]
    series: Iterable[dict[str, str]]
    step: str = "15s"
    evaluate: str = "30s"
    folder: Path = GENERATED

    def check(
        self,
        work: Path,
        expected: dict[str, set[Firing]],
        severities: str = "critical|warning",
        alerts: Iterable[dict[str, Any]] = (),
    ) -> None:
        """Compare all firing alerts of the severities at each of the times with the expected."""
        asked = [
            {
                "expr": _ASKED.format(severities),
                "eval_time": time,
                "exp_samples": [
                    {"labels": _labels(*alert), "value": 1} for alert in sorted(firing)
                ],
            }
            for time, firing in expected.items()
        ]
        self.run(work, promql_expr_test=asked, alert_rule_test=list(alerts))

    def run(self, work: Path, **tests: Any) -> None:
        """Run promtool's own kinds of tests."""
        group = {"interval": self.step, "input_series": list(self.series), **tests}
        path = work / "test.yml"
        files = [self.folder / name for name in self.files]
        content = {
            "rule_files": [str(file) for file in files],
            # Left to itself, promtool takes the groups in another order each time.
            "group_eval_order": [
                group["name"]
                for file in files
                for group in yaml.safe_load(file.read_text())["groups"]
            ],
            "evaluation_interval": self.evaluate,
            "tests": [group],
        }
        path.write_text(yaml.safe_dump(content, width=1_000_000_000))
        done = subprocess.run(
            [binary("promtool"), "test", "rules", path], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr


def _labels(alert: str, job: str, severity: str) -> str:
    return f'{{alertname="{alert}", job="{job}", severity="{severity}"}}'
