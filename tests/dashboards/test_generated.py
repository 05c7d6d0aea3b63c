"""The committed dashboards are the generated ones, and Grafana's own model knows every field."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.cog.plugins import register_default_plugins
from grafana_foundation_sdk.models.dashboard import Dashboard

from dashboards import boards, generate
from dashboards.model import Board
from tests.dashboards.reading import DASHBOARDS, load

OPEN = re.compile(r"dashboard\.annotations\.list\[\d+\]\.(step|textFormat|titleFormat)")
"""The model leaves out what the Prometheus data source alone reads of an annotation."""


def test_the_committed_dashboards_are_the_generated_ones(tmp_path: Path) -> None:
    assert set(DASHBOARDS) == {board.name for board in boards.ALL}
    assert generate.differences(generate.GENERATED) == []
    generate.write(tmp_path)
    (tmp_path / "incident.json").write_text("{}")
    assert generate.differences(tmp_path) == ["incident.json"]


@pytest.mark.parametrize("board", boards.ALL, ids=lambda board: board.name)
def test_generating_twice_gives_the_same_bytes(board: Board) -> None:
    assert generate.text(board) == generate.text(board)
    assert generate.text(board) == DASHBOARDS[board.name].read_text()


@pytest.mark.parametrize("name", sorted(DASHBOARDS))
def test_grafanas_model_loses_no_field(name: str) -> None:
    register_default_plugins()
    dashboard = load(name)
    model = Dashboard.from_json(dashboard)
    read = json.loads(json.dumps(model.to_json(), cls=JSONEncoder))
    assert [each for each in lost(dashboard, read, "dashboard") if not OPEN.fullmatch(each)] == []


def test_a_field_that_grafanas_model_lacks_is_told() -> None:
    register_default_plugins()
    dashboard = {**load("incident"), "hideControls": True}
    read = json.loads(json.dumps(Dashboard.from_json(dashboard).to_json(), cls=JSONEncoder))
    assert lost(dashboard, read, "dashboard") == ["dashboard.hideControls"]


def lost(ours: Any, read: Any, path: str) -> list[str]:
    """Name what the model dropped or changed; what it adds are its defaults."""
    if isinstance(ours, dict) and isinstance(read, dict):
        return [
            name
            for key in ours
            for name in (
                lost(ours[key], read[key], f"{path}.{key}") if key in read else [f"{path}.{key}"]
            )
        ]
    if isinstance(ours, list) and isinstance(read, list) and len(ours) == len(read):
        pairs = enumerate(zip(ours, read, strict=True))
        return [name for at, (a, b) in pairs for name in lost(a, b, f"{path}[{at}]")]
    return [] if ours == read else [path]
