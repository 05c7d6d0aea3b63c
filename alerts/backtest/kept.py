"""Keeps what was found in a file, so that a long backtest can be stopped, and goes on later."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

    from alerts.backtest.replay import Found
    from alerts.backtest.runs import Run


class Kept:
    """Results by run, good for one state of the rules and the scenarios only.

    Args:
        path: a JSON file, or None for nothing to be kept.
        sources: files whose text decides the results: of any other text they are forgotten.
    """

    def __init__(self, path: Path | None, sources: list[Path]) -> None:
        self._path = path
        digest = hashlib.sha256()
        for source in sorted(sources):
            digest.update(source.read_bytes())
        self._state = digest.hexdigest()
        self._runs: dict[str, Any] = {}
        if path and path.exists():
            content = json.loads(path.read_text(encoding="utf-8"))
            self._runs = content["runs"] if content["state"] == self._state else {}

    def find(self, run: Run) -> Found | None:
        """Return what the same run found before, if it did."""
        known = self._runs.get(_key(run))
        return (known["pages"], known["naive"]) if known else None

    def keep(self, run: Run, found: Found) -> None:
        """Write down what a run found."""
        if self._path is None:
            return
        pages, naive = found
        self._runs[_key(run)] = {"pages": pages, "naive": naive}
        content = {"state": self._state, "runs": self._runs}
        self._path.write_text(json.dumps(content, indent=1), encoding="utf-8")


def _key(run: Run) -> str:
    names = " ".join(f"{scenario.name}:{seed}" for scenario, seed in run.cases)
    return f"{'weeks' if run.weeks else 'hours'} {names}"
