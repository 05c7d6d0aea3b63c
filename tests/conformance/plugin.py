"""The pytest plugin that keeps the outcome of every test that proves a line.

Outcomes travel from pytest-xdist's workers in the reports' `user_properties`; the controller
alone writes them, into `var/conformance.json`, where they replace those of earlier runs.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

RESULTS = Path(__file__).parents[2] / "var" / "conformance.json"

_PROPERTY = "proves"
_WORSE = ("passed", "skipped", "failed")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Have each report of a proving test say so."""
    for item in items:
        if any(True for _ in item.iter_markers("proves")):
            item.user_properties.append((_PROPERTY, item.nodeid.partition("[")[0]))


def pytest_configure(config: pytest.Config) -> None:
    """Collect where the reports arrive: not in a worker of pytest-xdist."""
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(_Outcomes(), "conformance-outcomes")


class _Outcomes:
    """The worst outcome of each proving test, over its parameters and phases."""

    def __init__(self) -> None:
        self._outcomes: dict[str, str] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        name = dict(report.user_properties).get(_PROPERTY)
        if isinstance(name, str):
            earlier = self._outcomes.get(name, "passed")
            self._outcomes[name] = max(earlier, report.outcome, key=_WORSE.index)

    def pytest_sessionfinish(self) -> None:
        if self._outcomes:
            _write(read() | self._outcomes)


def read() -> dict[str, str]:
    """The last outcome of each proving test that ran."""
    try:
        found: Any = json.loads(RESULTS.read_text())
    except FileNotFoundError:
        return {}
    return dict(found)


def _write(outcomes: dict[str, str]) -> None:
    RESULTS.parent.mkdir(exist_ok=True)
    made = RESULTS.with_suffix(f".{os.getpid()}")
    made.write_text(json.dumps(dict(sorted(outcomes.items())), indent=1) + "\n")
    made.replace(RESULTS)
