"""What was found, case by case; in a file too, so that a long backtest can be stopped and go on."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from alerts.backtest.catalog import Scenario
    from alerts.backtest.replay import Firing, Found
    from alerts.backtest.runs import Run


class Kept:
    """Results by case, good for one state of the rules and the scenarios only.

    Args:
        path: a JSON file, or None for nothing to outlast the process.
        sources: files whose text decides the results: of any other text they are forgotten.

    Raises ValueError where the file holds something else.
    """

    def __init__(self, path: Path | None = None, sources: tuple[Path, ...] = ()) -> None:
        self._path = path
        digest = hashlib.sha256()
        for source in sorted(sources):
            digest.update(source.read_bytes())
        self._state = digest.hexdigest()
        self._cases: dict[str, Found] = {}
        if path and path.exists():
            self._cases = _read(path, self._state)

    def knows(self, scenario: Scenario, seed: int, *, weeks: bool) -> bool:
        """Whether a case was replayed, with or without past weeks."""
        return _key(scenario, seed, weeks=weeks) in self._cases

    def keep(self, run: Run, found: Found) -> None:
        """Add what a run found."""
        for scenario, seed in run.cases:
            job = f"{scenario.name}:{seed}"
            pages, naive = ({job: each[job]} if job in each else {} for each in found)
            self._cases[_key(scenario, seed, weeks=run.weeks)] = pages, naive
        if self._path:
            content = {"state": self._state, "cases": self._cases}
            self._path.write_text(json.dumps(content), encoding="utf-8")

    def found(self) -> Found:
        """Return the earliest minute of each alert of each job."""
        merged: tuple[Firing, Firing] = ({}, {})
        for found in self._cases.values():
            for firing, whole in zip(found, merged, strict=True):
                for job, alerts in firing.items():
                    known = whole.setdefault(job, {})
                    for alert, minute in alerts.items():
                        known[alert] = min(minute, known.get(alert, minute))
        return merged


def _read(path: Path, state: str) -> dict[str, Found]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        if content["state"] != state:
            return {}
        return {key: (pages, naive) for key, (pages, naive) in content["cases"].items()}
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise ValueError(f"{path}: must be a file that a backtest kept, not {error}") from error


def _key(scenario: Scenario, seed: int, *, weeks: bool) -> str:
    return f"{scenario.name}:{seed}, {'weeks' if weeks else 'hours'}"
