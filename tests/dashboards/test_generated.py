"""The committed dashboards are the generated ones, and Grafana's own model knows every field."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import promql_parser
import pytest
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.cog.plugins import register_default_plugins
from grafana_foundation_sdk.models.dashboard import Dashboard

from dashboards import generate
from instrumentation.contract import metrics, places, recorded

DASHBOARDS = {path.name: path for path in generate.GENERATED.glob("*.json")}
KNOWN = {
    *(metric.name for metric in metrics.ALL),
    *(
        f"{metric.name}_{suffix}"
        for metric in metrics.ALL
        if metric.kind == "histogram"
        for suffix in ("bucket", "count", "sum")
    ),
    *metrics.EXTERNAL,
    *(series.name for series in recorded.series()),
}
RECORDED = {series.name for series in recorded.series()}


@pytest.fixture(params=sorted(DASHBOARDS))
def dashboard(request: pytest.FixtureRequest) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(DASHBOARDS[request.param].read_text())
    return loaded


def graphs(dashboard: dict[str, Any]) -> list[dict[str, Any]]:
    return [panel for panel in dashboard["panels"] if panel["type"] != "row"]


def targets(dashboard: dict[str, Any]) -> list[dict[str, Any]]:
    return [target for panel in graphs(dashboard) for target in panel["targets"]]


def selectors(node: object) -> list[promql_parser.VectorSelector]:
    if isinstance(node, promql_parser.VectorSelector):
        return [node]
    children = (getattr(node, name, None) for name in ("expr", "lhs", "rhs", "vector_selector"))
    found = [selector for child in children if child for selector in selectors(child)]
    for argument in getattr(node, "args", None) or ():
        found += selectors(argument)
    return found


def parsed(expression: str) -> list[promql_parser.VectorSelector]:
    return selectors(promql_parser.parse(expression.replace("$__rate_interval", "1m")))


def test_the_committed_dashboards_are_the_generated_ones(tmp_path: Path) -> None:
    assert DASHBOARDS
    assert generate.differences(generate.GENERATED) == []
    generate.write(tmp_path)
    (tmp_path / "service.json").write_text("{}")
    assert generate.differences(tmp_path) == ["service.json"]


def test_grafanas_model_loses_no_field(dashboard: dict[str, Any]) -> None:
    register_default_plugins()
    model = Dashboard.from_json(dashboard)
    read = json.loads(json.dumps(model.to_json(), cls=JSONEncoder))
    assert lost(dashboard, read, "dashboard") == []


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


def test_nobody_edits_a_generated_dashboard(dashboard: dict[str, Any]) -> None:
    assert dashboard["editable"] is False
    assert 8 <= len(dashboard["uid"]) <= 40
    assert dashboard["title"]
    assert dashboard["description"]


def test_variables_choose_data_source_job_instance_and_route(dashboard: dict[str, Any]) -> None:
    variables = {variable["name"]: variable for variable in dashboard["templating"]["list"]}
    assert list(variables) == [
        "datasource",
        places.JOB_VARIABLE,
        places.INSTANCE_VARIABLE,
        places.ROUTE_VARIABLE,
    ]
    assert variables.pop("datasource")["query"] == "prometheus"
    for variable in variables.values():
        assert variable["label"]
        assert variable["datasource"]["uid"] == "${datasource}"
        series = variable["query"].removeprefix("label_values(").rpartition(",")[0]
        assert {selector.name for selector in parsed(series)} <= KNOWN


def test_every_panel_explains_itself(dashboard: dict[str, Any]) -> None:
    for panel in graphs(dashboard):
        assert panel["title"]
        assert panel["description"].endswith(".")
        assert panel["fieldConfig"]["defaults"]["unit"]
        assert panel["datasource"]["uid"] == "${datasource}"


def test_panels_have_their_own_identifier_and_place(dashboard: dict[str, Any]) -> None:
    panels = dashboard["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    cells = [
        (x, y)
        for place in (panel["gridPos"] for panel in panels)
        for x in range(place["x"], place["x"] + place["w"])
        for y in range(place["y"], place["y"] + place["h"])
    ]
    assert len(set(cells)) == len(cells)
    assert max(x for x, _ in cells) < 24


def test_every_query_parses_and_reads_the_contract(dashboard: dict[str, Any]) -> None:
    for target in targets(dashboard):
        found = parsed(target["expr"])
        assert found
        assert {selector.name for selector in found} <= KNOWN


def test_every_query_is_of_the_chosen_service_and_instance(dashboard: dict[str, Any]) -> None:
    for target in targets(dashboard):
        for selector in parsed(target["expr"]):
            matchers = {(each.name, each.value) for each in selector.matchers.matchers}
            assert ("job", "$job") in matchers
            # What is recorded is summed over all instances.
            assert ("instance", "$instance") in matchers or selector.name in RECORDED


def test_rates_follow_the_zoom(dashboard: dict[str, Any]) -> None:
    for target in targets(dashboard):
        if "rate(" in target["expr"]:
            assert "[$__rate_interval]" in target["expr"]
        assert target["expr"].count("[") == target["expr"].count("[$__rate_interval]")


def test_durations_draw_exemplars_and_nothing_else_does(dashboard: dict[str, Any]) -> None:
    for target in targets(dashboard):
        assert target["exemplar"] is ("histogram_quantile(" in target["expr"])
    assert any(target["exemplar"] for target in targets(dashboard))


def test_by_route_and_by_service(dashboard: dict[str, Any]) -> None:
    by_route = [target for target in targets(dashboard) if "http_route" in target["expr"]]
    for part in ("_count", 'code=~"5.."', "quantile(0.5,", "quantile(0.95,", "quantile(0.99,"):
        assert any(part in target["expr"] for target in by_route)
        assert any(part in each["expr"] for each in targets(dashboard) if each not in by_route)
    for target in by_route:
        assert 'http_route=~"$route"' in target["expr"]
