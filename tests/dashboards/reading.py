"""The committed dashboards, and what their queries read."""

from __future__ import annotations

import json
from typing import Any

import promql_parser

from dashboards import boards, generate
from instrumentation.contract import metrics, panels, places, recorded

BOARDS = {board.name: board for board in boards.ALL}
DASHBOARDS = {path.stem: path for path in generate.GENERATED.glob("*.json")}
RECORDED = {series.name for series in recorded.series()}
KNOWN = {
    *(metric.name for metric in metrics.ALL),
    *(
        f"{metric.name}_{suffix}"
        for metric in metrics.ALL
        if metric.kind == "histogram"
        for suffix in ("bucket", "count", "sum")
    ),
    *metrics.EXTERNAL,
    *panels.EXTERNAL,
    *RECORDED,
}
FILLED = {
    "$__rate_interval": "1m",
    "$__range": "30m",
    f"${places.WINDOW_VARIABLE}": "1h",
}


def load(name: str) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(DASHBOARDS[name].read_text())
    return loaded


def drawn(dashboard: dict[str, Any]) -> list[dict[str, Any]]:
    """Every panel but the headings."""
    return [panel for panel in dashboard["panels"] if panel["type"] != "row"]


def targets(dashboard: dict[str, Any]) -> list[dict[str, Any]]:
    return [target for panel in drawn(dashboard) for target in panel["targets"]]


def expressions(dashboard: dict[str, Any]) -> list[str]:
    """Those of the panels and of the marks."""
    marks = [each["expr"] for each in dashboard["annotations"]["list"]]
    return [target["expr"] for target in targets(dashboard)] + marks


def selectors(node: object) -> list[promql_parser.VectorSelector]:
    if isinstance(node, promql_parser.VectorSelector):
        return [node]
    children = (getattr(node, name, None) for name in ("expr", "lhs", "rhs", "vector_selector"))
    found = [selector for child in children if child for selector in selectors(child)]
    for argument in getattr(node, "args", None) or ():
        found += selectors(argument)
    return found


def parsed(expression: str) -> list[promql_parser.VectorSelector]:
    for name, value in FILLED.items():
        expression = expression.replace(name, value)
    return selectors(promql_parser.parse(expression))


def names(expression: str) -> set[str]:
    """Those of the series that an expression reads."""
    return {selector.name or "" for selector in parsed(expression)}


def names_of_variables(dashboard: dict[str, Any]) -> list[str]:
    return [variable["name"] for variable in dashboard["templating"]["list"]]
