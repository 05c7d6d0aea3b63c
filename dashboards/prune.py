"""Removes what grafanalib writes for Grafanas of long ago and newer ones don't know."""

from __future__ import annotations

from typing import Any, Final

ALL_VALUES: Final = "$__all"
"""Grafana's value of a variable that stands for all of them."""

_DASHBOARD: Final = frozenset({"__inputs", "hideControls", "rows", "sharedCrosshair", "style"})
_PANEL: Final = frozenset(
    {
        "cacheTimeout", "color", "columns", "editable", "error", "fontSize", "height",
        "hideTimeOverride", "mappings", "minSpan", "span",
    }
)  # fmt: skip
_ROW: Final = frozenset({"collapsed", "gridPos", "id", "panels", "title", "type"})
"""All that a heading has: it draws nothing."""
_CUSTOM: Final = frozenset({"displayMode"})
_TARGET: Final = frozenset({"metric", "query", "step", "target"})
_TIMEPICKER: Final = frozenset({"time_options"})
_VARIABLE: Final = frozenset(
    {"auto", "auto_count", "auto_min", "tagValuesQuery", "tagsQuery", "useTags"}
)


def pruned(dashboard: dict[str, Any]) -> dict[str, Any]:
    """Return a dashboard in which Grafana's own model knows every field."""
    kept = _without(_DASHBOARD, dashboard)
    kept["panels"] = [_panel(panel) for panel in dashboard["panels"]]
    kept["timepicker"] = _without(_TIMEPICKER, dashboard["timepicker"])
    variables = dashboard["templating"]["list"]
    kept["templating"] = {"list": [_variable(variable) for variable in variables]}
    return kept


def _panel(panel: dict[str, Any]) -> dict[str, Any]:
    if panel["type"] == "row":
        return {key: panel[key] for key in _ROW}
    kept = _without(_PANEL, panel)
    kept["targets"] = [_without(_TARGET, target) for target in panel["targets"]]
    defaults = kept["fieldConfig"]["defaults"]
    kept["fieldConfig"]["defaults"] = {
        **_without(frozenset(), defaults),
        "custom": _without(_CUSTOM, defaults["custom"]),
    }
    return kept


def _variable(variable: dict[str, Any]) -> dict[str, Any]:
    kept = _without(_VARIABLE, variable)
    current = _without(frozenset({"tags"}), kept.pop("current"))
    if current.get("value") == ALL_VALUES:
        current["text"] = "All"
    # Without a default Grafana takes the first value that it finds.
    return {**kept, "current": current} if current.get("value") else kept


def _without(names: frozenset[str], fields: dict[str, Any]) -> dict[str, Any]:
    """Leave out the names, and the fields that grafanalib was not given."""
    return {key: value for key, value in fields.items() if key not in names and value is not None}
