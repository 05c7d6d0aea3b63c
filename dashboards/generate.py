"""Turns dashboards into Grafana's JSON, the same bytes each time."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from grafanalib._gen import DashboardEncoder

from dashboards import boards
from dashboards.prune import pruned

if TYPE_CHECKING:
    from dashboards.model import Board

GENERATED: Final = Path(__file__).parent / "generated"


def files() -> dict[str, str]:
    """Return each dashboard file's name and text."""
    return {f"{board.name}.json": text(board) for board in boards.ALL}


def write(folder: Path) -> None:
    """Write the dashboards, and remove those of an earlier generation that exist no more."""
    folder.mkdir(parents=True, exist_ok=True)
    made = files()
    for name, text in made.items():
        (folder / name).write_text(text, encoding="utf-8")
    for path in folder.glob("*.json"):
        if path.name not in made:
            path.unlink()


def differences(folder: Path) -> list[str]:
    """Name the files of a folder that are missing, superfluous or unlike the generated ones."""
    made = files()
    found = {path.name: path.read_text(encoding="utf-8") for path in folder.glob("*.json")}
    return sorted(name for name in found.keys() | made if found.get(name) != made.get(name))


def text(board: Board) -> str:
    """Return a dashboard's JSON."""
    content: dict[str, Any] = json.loads(json.dumps(boards.grafana(board), cls=DashboardEncoder))
    return json.dumps(pruned(content), indent=2, sort_keys=True) + "\n"
