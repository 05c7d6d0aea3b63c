"""Thin, typed helpers around grafanalib: what every panel of ours has in common."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from grafanalib import core, formatunits

from dashboards import colours
from dashboards.model import Graph, Panel, Query, Row, Stat, Table, Unit
from dashboards.variables import DATASOURCE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dashboards.links import Link

COLUMNS: Final = 24
"""Width of Grafana's grid."""

UNITS: Final[dict[Unit, str]] = {
    "seconds": formatunits.SECONDS,
    "ratio": formatunits.PERCENT_UNIT,
    "requests": formatunits.REQUESTS_PER_SEC,
    "number": formatunits.NUMBER_FORMAT,
    "bytes": formatunits.BYTES_IEC,
    "since": "dateTimeFromNow",
    "state": formatunits.NUMBER_FORMAT,
    "text": "string",
}

# Grafana's types ask for them, and grafanalib has no argument for either.
_STATES: Final = {"0": {"text": "over"}, "1": {"text": "yes"}}
_CELLS: Final = {"cellOptions": {"type": "auto"}, "inspect": False}


def layout(rows: Sequence[Row]) -> list[Any]:
    """Return grafanalib's panels of the rows, from the top down, with identifiers from 1 on."""
    panels: list[Any] = []
    top = 0
    for row in rows:
        panels.append(_heading(row.title, len(panels) + 1, top))
        width = COLUMNS // len(row.panels)
        for column, panel in enumerate(row.panels):
            place = core.GridPos(h=row.height, w=width, x=column * width, y=top + 1)
            panels.append(_panel(panel, len(panels) + 1, place))
        top += 1 + row.height
    return panels


def _heading(title: str, number: int, top: int) -> Any:
    return core.RowPanel(
        id=number, title=title, gridPos=core.GridPos(h=1, w=COLUMNS, x=0, y=top), editable=False
    )


def _panel(panel: Panel, number: int, place: Any) -> Any:
    common = {
        "id": number,
        "title": panel.title,
        "description": _description(panel),
        "dataSource": DATASOURCE,
        "gridPos": place,
        "editable": False,
        # More points than pixels would make $__rate_interval shorter than a pixel.
        "maxDataPoints": None,
        "targets": [_target(query, reference(at), panel) for at, query in enumerate(panel.queries)],
    }
    if isinstance(panel, Graph):
        return _graph(panel, common)
    return _stat(panel, common) if isinstance(panel, Stat) else _table(panel, common)


def _description(panel: Panel) -> str:
    """Add what a click does, in Grafana alone: a snapshot is looked at when all is over."""
    sentences = [panel.description]
    if any(query.exemplars for query in panel.queries):
        sentences.append("The diamonds are exemplars: each links to the trace of one request.")
    if isinstance(panel, Table):
        for label, heading in panel.labels:
            sentences += _offered(heading, panel.links.get(label, ()))
    else:
        sentences += _offered("line", panel.links)
    return " ".join(sentences)


def _offered(what: str, links: Sequence[Link]) -> list[str]:
    offered = " or ".join(link.title.removeprefix("Show ") for link in links)
    return [f"A click on a {what.lower()} can show {offered}."] if links else []


def _graph(graph: Graph, common: dict[str, Any]) -> Any:
    return core.TimeSeries(
        **common,
        interval=f"{graph.step}s" if graph.step else None,
        unit=UNITS[graph.unit],
        valueMin=None if graph.negative else 0,
        thresholdType="absolute",
        thresholds=_above(graph.threshold),
        thresholdsStyleMode="off" if graph.threshold is None else "dashed",
        fillOpacity=8,
        showPoints="auto",
        tooltipMode="multi",
        tooltipSort="desc",
        legendCalcs=["lastNotNull", "max"],
        legendDisplayMode="table",
        overrides=[
            _override("byFrameRefID", reference(at), _style(query))
            for at, query in enumerate(graph.queries)
            if query.role
        ],
        extraJson={
            **_defaults(graph.empty, graph.links),
            "options": {"legend": {"showLegend": True}},
        },
    )


def _stat(stat: Stat, common: dict[str, Any]) -> Any:
    return core.Stat(
        **common,
        format=UNITS[stat.unit],
        thresholdType="absolute",
        thresholds=[_step(colours.BAD, None), _step(colours.GOOD, stat.least)],
        reduceCalc="lastNotNull",
        graphMode="none",
        noValue=stat.empty,
        extraJson=_defaults(stat.empty, stat.links),
    )


def _table(table: Table, common: dict[str, Any]) -> Any:
    headings = [heading for _, heading in table.labels] + [each.title for each in table.columns]
    fields = [label for label, _ in table.labels]
    fields += [f"Value #{reference(at)}" for at in range(len(table.columns))]
    if len(table.columns) == 1:
        # Grafana numbers the values only where there are several.
        fields[-1] = "Value"
    return core.Table(
        **common,
        unit=UNITS["text"],
        transformations=[
            {"id": "merge", "options": {}},
            {"id": "filterFieldsByName", "options": {"include": {"names": fields}}},
            {
                "id": "organize",
                "options": {
                    "indexByName": {name: at for at, name in enumerate(fields)},
                    "renameByName": dict(zip(fields, headings, strict=True)),
                },
            },
        ],
        overrides=[*_linked(table), *_valued(table)],
        extraJson={
            "fieldConfig": {"defaults": {"noValue": table.empty, "links": [], "custom": _CELLS}},
            "options": {
                "frameIndex": 0,
                "sortBy": [{"displayName": table.columns[0].title, "desc": True}],
            },
        },
    )


def _linked(table: Table) -> list[dict[str, Any]]:
    headings = dict(table.labels)
    return [
        _override("byName", headings[label], {"links": _links(links)})
        for label, links in table.links.items()
    ]


def _valued(table: Table) -> list[dict[str, Any]]:
    """Give each value its unit, and its colour beyond the threshold."""
    overrides = []
    for column in table.columns:
        properties: dict[str, Any] = {"unit": UNITS[column.unit]}
        if column.threshold is not None:
            properties["thresholds"] = {"mode": "absolute", "steps": _above(column.threshold)}
            properties["custom.cellOptions"] = {"type": "color-text"}
        if column.unit == "state":
            properties["mappings"] = [{"type": "value", "options": _STATES}]
        overrides.append(_override("byName", column.title, properties))
    return overrides


def _defaults(empty: str, links: Sequence[Link]) -> dict[str, Any]:
    """What grafanalib has no argument for."""
    return {"fieldConfig": {"defaults": {"noValue": empty, "links": _links(links)}}}


def _links(links: Sequence[Link]) -> list[dict[str, Any]]:
    return [{"title": link.title, "url": link.url, "targetBlank": True} for link in links]


def _override(matcher: str, option: str, properties: dict[str, Any]) -> dict[str, Any]:
    return {
        "matcher": {"id": matcher, "options": option},
        "properties": [{"id": name, "value": value} for name, value in properties.items()],
    }


def _style(query: Query) -> dict[str, Any]:
    """A role's colour, in shades where several services are looked at; what is past is dashed."""
    assert query.role  # noqa: S101 - the caller's condition
    style: dict[str, Any] = {"color": {"mode": "shades", "fixedColor": colours.ROLES[query.role]}}
    if query.role == "past":
        style["custom.lineStyle"] = {"fill": "dash", "dash": [10, 10]}
        style["custom.fillOpacity"] = 0
    return style


def _above(threshold: float | None) -> list[dict[str, Any]]:
    base = [_step(colours.GOOD, None)]
    return base if threshold is None else [*base, _step(colours.BAD, threshold)]


def _step(colour: str, value: float | None) -> dict[str, Any]:
    return {"color": colour, "value": value}


def reference(at: int) -> str:
    """Grafana's name of a panel's query: A, B, ..."""
    return chr(ord("A") + at)


def _target(query: Query, name: str, panel: Panel) -> dict[str, Any]:
    over_time = isinstance(panel, Graph)
    target: dict[str, Any] = core.Target(
        expr=query.expression,
        legendFormat=query.legend,
        refId=name,
        datasource=DATASOURCE,
        intervalFactor=1,
        instant=not over_time,
        format="table" if isinstance(panel, Table) else "time_series",
    ).to_json_data()
    # grafanalib knows neither of them.
    return {**target, "range": over_time, "exemplar": query.exemplars}
