"""Every option of every panel is one that Grafana's published types know, with a value they allow.

TypeScript's compiler checks it: JSON is a literal of TypeScript, and a literal may have no property
that its type lacks.
"""

from __future__ import annotations

import copy
import json
import re
import shutil
import subprocess
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import pytest
from dotenv import dotenv_values

from tests.dashboards.reading import DASHBOARDS, drawn, load

pytestmark = pytest.mark.slow

PROJECT = Path(__file__).parent / "schema"
SECONDS = 120

Dashboard = dict[str, Any]


def panel(dashboard: Dashboard, kind: str) -> Any:
    """The first of that type that has an override."""
    return next(
        each
        for each in drawn(dashboard)
        if each["type"] == kind and (kind == "stat" or each["fieldConfig"]["overrides"])
    )


def override(dashboard: Dashboard, kind: str) -> list[dict[str, Any]]:
    properties: list[dict[str, Any]] = panel(dashboard, kind)["fieldConfig"]["overrides"][0][
        "properties"
    ]
    return properties


MISTAKES: Mapping[str, Callable[[Dashboard], object]] = {
    "graph-option": lambda it: panel(it, "timeseries")["options"].update(sparkline=True),
    "graph-placement": lambda it: panel(it, "timeseries")["options"]["legend"].update(
        placement="below"
    ),
    "graph-no-tooltip": lambda it: panel(it, "timeseries")["options"].pop("tooltip"),
    "graph-field": lambda it: panel(it, "timeseries")["fieldConfig"]["defaults"]["custom"].update(
        lineColour="red"
    ),
    "graph-override": lambda it: override(it, "timeseries").append(
        {"id": "custom.lineColour", "value": "red"}
    ),
    "graph-dash": lambda it: override(it, "timeseries").append(
        {"id": "custom.lineStyle", "value": {"fill": "dashed"}}
    ),
    "stat-option": lambda it: panel(it, "stat")["options"].update(legend={}),
    "stat-colour": lambda it: panel(it, "stat")["options"].update(colorMode="text"),
    "table-option": lambda it: panel(it, "table")["options"].update(footer={}),
    "table-cell": lambda it: panel(it, "table")["fieldConfig"]["defaults"]["custom"].update(
        cellOptions={"type": "colour-text"}
    ),
    "table-unit": lambda it: override(it, "table").append({"id": "unit", "value": 1}),
    "threshold": lambda it: panel(it, "stat")["fieldConfig"]["defaults"]["thresholds"].update(
        mode="relative"
    ),
    "panel-type": lambda it: panel(it, "stat").update(type="singlestat"),
    "variable": lambda it: it["templating"]["list"][0].update(type="list"),
    "dashboard": lambda it: it.update(hideControls=True),
}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    npm = shutil.which("npm")
    if npm is None:
        pytest.fail("npm is missing: install Node.js 20 or later (Debian: nodejs and npm)")
    folder = tmp_path_factory.mktemp("schema")
    for path in PROJECT.iterdir():
        shutil.copy(path, folder)
    run([npm, "ci", "--no-audit", "--no-fund", "--prefer-offline"], folder)
    return folder


@pytest.fixture(scope="module")
def mistaken(project: Path) -> Mapping[str, list[str]]:
    """What is said about each mistake."""
    dashboards = {}
    for name, make in MISTAKES.items():
        dashboards[name] = copy.deepcopy(load("incident"))
        make(dashboards[name])
    return complaints(project, dashboards)


def test_grafanas_types_know_every_option(project: Path) -> None:
    assert complaints(project, {name: load(name) for name in DASHBOARDS}) == {}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_told(mistake: str, mistaken: Mapping[str, list[str]]) -> None:
    assert mistaken.get(mistake)


def test_the_types_are_of_the_grafana_that_is_run() -> None:
    package = json.loads((PROJECT / "package.json").read_text())
    assert package["devDependencies"]["@grafana/schema"] == dotenv_values()["GRAFANA_VERSION"]


def complaints(project: Path, dashboards: Mapping[str, Dashboard]) -> dict[str, list[str]]:
    """Compile the dashboards; return the compiler's errors by dashboard."""
    for old in project.glob("dashboard-*.ts"):
        old.unlink()
    for name, dashboard in dashboards.items():
        (project / f"dashboard-{name}.ts").write_text(
            'import type { Board } from "./board.js";\n'
            f"export const board: Board = {json.dumps(dashboard, indent=2)};\n"
        )
    compiler = project / "node_modules" / "typescript" / "bin" / "tsc"
    output = run(["node", str(compiler), "--pretty", "false"], project, statuses=(0, 2))
    found: dict[str, list[str]] = {}
    for line in output.splitlines():
        # What a line says more about the error before it is indented.
        if not line.startswith(" "):
            told = re.fullmatch(r"dashboard-([\w-]+)\.ts(\(\d+,\d+\): error .*)", line)
            assert told, output
            found.setdefault(told[1], []).append(told[2])
    return found


def run(command: Iterable[str], folder: Path, statuses: Iterable[int] = (0,)) -> str:
    done = subprocess.run(
        [*command], cwd=folder, capture_output=True, text=True, timeout=SECONDS, check=False
    )
    assert done.returncode in statuses, done.stdout + done.stderr
    return done.stdout
