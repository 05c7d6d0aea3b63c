"""Every dashboard, and how it becomes one of grafanalib's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from grafanalib import core

from dashboards import colours, links
from dashboards.capacity import CAPACITY
from dashboards.dependencies import DEPENDENCIES
from dashboards.incident import INCIDENT
from dashboards.panels import layout
from dashboards.pipeline import PIPELINE
from dashboards.route import ROUTE_BOARD
from dashboards.runtime import RUNTIME
from dashboards.trend import TREND
from dashboards.variables import DATASOURCE, templating

if TYPE_CHECKING:
    from dashboards.model import Board

ALL: Final[tuple[Board, ...]] = (
    INCIDENT, CAPACITY, TREND, ROUTE_BOARD, DEPENDENCIES, RUNTIME, PIPELINE,
)  # fmt: skip

_SCHEMA: Final = 39


def grafana(board: Board) -> Any:
    """Return grafanalib's dashboard."""
    return core.Dashboard(
        title=board.title,
        uid=board.uid,
        description=board.description,
        tags=[links.TAG, "generated"],
        editable=False,
        schemaVersion=_SCHEMA,
        timezone="browser",
        refresh=board.refresh,
        time=core.Time(board.since, "now"),
        graphTooltip=core.GRAPH_TOOLTIP_MODE_SHARED_CROSSHAIR,
        templating=templating(board.variables),
        annotations=core.Annotations([_releases(board.releases)] if board.releases else []),
        links=[_others()],
        panels=layout(board.rows),
    )


def _others() -> Any:
    return core.DashboardLink(
        title="Dashboards", tags=[links.TAG], asDropdown=False, includeVars=True, keepTime=True
    )


def _releases(expression: str) -> dict[str, Any]:
    return {
        "name": "Releases",
        "datasource": DATASOURCE,
        "enable": True,
        "hide": False,
        "iconColor": colours.ROLES["requests"],
        "expr": expression,
        "titleFormat": "{{job}} {{service_version}}",
        "textFormat": "first seen here",
        "step": "10m",
    }
