"""Thin, typed helpers around grafanalib: what every panel of ours has in common."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

from grafanalib import core, formatunits

if TYPE_CHECKING:
    from collections.abc import Sequence

DATASOURCE: Final = {"type": "prometheus", "uid": "${datasource}"}

COLUMNS: Final = 24
"""Width of Grafana's grid."""
PANEL_HEIGHT: Final = 8

Unit = Literal["seconds", "ratio", "requests", "number"]

_UNITS: Final[dict[Unit, str]] = {
    "seconds": formatunits.SECONDS,
    "ratio": formatunits.PERCENT_UNIT,
    "requests": formatunits.REQUESTS_PER_SEC,
    "number": formatunits.NUMBER_FORMAT,
}


@dataclass(frozen=True, slots=True)
class Query:
    """One line, or one for each set of labels.

    Args:
        expression: PromQL, from the contract.
        legend: Grafana's template of the line's name.
        exemplars: draw the exemplars, which link to their traces, beside the lines.
    """

    expression: str
    legend: str
    exemplars: bool = False


@dataclass(frozen=True, slots=True)
class Graph:
    """One time series panel.

    Args:
        title: what is drawn.
        description: how it is computed, and what to make of it.
        unit: of the vertical axis.
        queries: at most 26.
        threshold: a value to mark with a line, in the unit.
    """

    title: str
    description: str
    unit: Unit
    queries: tuple[Query, ...]
    threshold: float | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """A heading with panels side by side below it."""

    title: str
    graphs: tuple[Graph, ...]


def layout(rows: Sequence[Row]) -> list[Any]:
    """Return grafanalib's panels of the rows, from the top down, with identifiers from 1 on."""
    panels: list[Any] = []
    top = 0
    for row in rows:
        panels.append(_heading(row.title, len(panels) + 1, top))
        width = COLUMNS // len(row.graphs)
        for column, graph in enumerate(row.graphs):
            place = core.GridPos(h=PANEL_HEIGHT, w=width, x=column * width, y=top + 1)
            panels.append(_panel(graph, len(panels) + 1, place))
        top += 1 + PANEL_HEIGHT
    return panels


def _heading(title: str, number: int, top: int) -> Any:
    return core.RowPanel(
        id=number, title=title, gridPos=core.GridPos(h=1, w=COLUMNS, x=0, y=top), editable=False
    )


def _panel(graph: Graph, number: int, place: Any) -> Any:
    return core.TimeSeries(
        id=number,
        title=graph.title,
        description=graph.description,
        dataSource=DATASOURCE,
        gridPos=place,
        targets=[_target(query, chr(ord("A") + at)) for at, query in enumerate(graph.queries)],
        unit=_UNITS[graph.unit],
        valueMin=0,
        thresholdType="absolute",
        thresholds=_thresholds(graph.threshold),
        thresholdsStyleMode="off" if graph.threshold is None else "dashed",
        fillOpacity=8,
        showPoints="never",
        tooltipMode="multi",
        tooltipSort="desc",
        legendCalcs=["lastNotNull", "max"],
        legendDisplayMode="table",
        editable=False,
        # More points than pixels would make $__rate_interval shorter than a pixel.
        maxDataPoints=None,
    )


def _thresholds(threshold: float | None) -> list[dict[str, Any]]:
    base = [{"color": "green", "value": None}]
    return base if threshold is None else [*base, {"color": "red", "value": threshold}]


def _target(query: Query, reference: str) -> dict[str, Any]:
    target: dict[str, Any] = core.Target(
        expr=query.expression,
        legendFormat=query.legend,
        refId=reference,
        datasource=DATASOURCE,
        intervalFactor=1,
    ).to_json_data()
    # grafanalib knows neither of them.
    return {**target, "range": True, "exemplar": query.exemplars}
