"""What dashboard-linter asks for, and what a reader at three in the morning does."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from dashboards import boards, colours
from instrumentation.contract import metrics, places, promql, recorded, slo
from instrumentation.contract.panels import pipeline
from tests.dashboards.reading import (
    DASHBOARDS,
    KNOWN,
    RECORDED,
    drawn,
    expressions,
    load,
    names,
    names_of_variables,
    parsed,
    targets,
)

MOST_QUERIES = 30
PEERS = {
    *(label for metric in metrics.ALL for label in metric.labels),
    *(label for series in recorded.series() for label in series.labels),
    *pipeline.LABELS,
    "job", "instance", "service_version", "le", "nth", "alertname", "severity", "alertstate",
}  # fmt: skip
"""Labels that exist."""


@pytest.fixture(params=sorted(DASHBOARDS))
def dashboard(request: pytest.FixtureRequest) -> dict[str, Any]:
    return load(request.param)


def test_nobody_edits_a_generated_dashboard(dashboard: dict[str, Any]) -> None:
    assert dashboard["editable"] is False
    assert 8 <= len(dashboard["uid"]) <= 40
    assert dashboard["title"]
    assert dashboard["description"].endswith(".")


def test_no_two_dashboards_share_an_address() -> None:
    assert len({board.uid for board in boards.ALL}) == len(boards.ALL)
    assert len({board.title for board in boards.ALL}) == len(boards.ALL)


def test_a_dashboard_asks_at_most_thirty_queries(dashboard: dict[str, Any]) -> None:
    assert 0 < len(expressions(dashboard)) <= MOST_QUERIES


def test_every_panel_asks_a_question_and_explains_itself(dashboard: dict[str, Any]) -> None:
    titles = [panel["title"] for panel in drawn(dashboard)]
    assert len(set(titles)) == len(titles)
    for panel in drawn(dashboard):
        defaults = panel["fieldConfig"]["defaults"]
        assert panel["title"].endswith("?")
        assert panel["description"].endswith(".")
        assert defaults["unit"]
        assert len(defaults["noValue"]) > 10
        assert panel["datasource"]["uid"] == "${datasource}"
        assert all(each["datasource"]["uid"] == "${datasource}" for each in panel["targets"])


def test_every_value_in_a_table_has_its_unit(dashboard: dict[str, Any]) -> None:
    for panel in drawn(dashboard):
        if panel["type"] != "table":
            continue
        given = {
            each["matcher"]["options"]
            for each in panel["fieldConfig"]["overrides"]
            if any(one["id"] == "unit" for one in each["properties"])
        }
        names = next(
            each["options"]["renameByName"]
            for each in panel["transformations"]
            if each["id"] == "organize"
        )
        values = {title for field, title in names.items() if field.startswith("Value")}
        assert values
        assert values == given
        assert panel["options"]["sortBy"][0]["displayName"] in values
        assert set(names) - {f for f in names if f.startswith("Value")} <= PEERS


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


def test_every_query_reads_names_and_labels_that_exist(dashboard: dict[str, Any]) -> None:
    for expression in expressions(dashboard):
        found = parsed(expression)
        assert found
        assert {selector.name for selector in found} <= KNOWN
        for selector in found:
            assert {each.name for each in selector.matchers.matchers} <= PEERS
        for listed in re.findall(r"\b(?:by|on) \(([^()]*)\)", expression):
            assert {name.strip() for name in listed.split(",") if name.strip()} <= PEERS


def test_every_legend_names_labels_that_exist(dashboard: dict[str, Any]) -> None:
    for target in targets(dashboard):
        assert set(re.findall(r"{{(\w+)}}", target["legendFormat"])) <= PEERS


def test_every_query_is_of_the_chosen_services_and_instances(dashboard: dict[str, Any]) -> None:
    instances = places.INSTANCE_VARIABLE in names_of_variables(dashboard)
    for expression in expressions(dashboard):
        for selector in parsed(expression):
            matchers = {(each.name, each.value) for each in selector.matchers.matchers}
            if selector.name == "up":
                # Whether the telemetry is alive, whoever is looked at.
                assert "job" in dict(matchers)
                continue
            if selector.name == "target_info" and not matchers:
                # Joined by job and instance with what is chosen.
                assert "on (job, instance) target_info" in expression
                continue
            assert ("job", "$job") in matchers
            # What is recorded is summed over all instances, and so are alerts and releases.
            whole = selector.name in RECORDED or str(selector.name).startswith("ALERTS")
            assert whole or not instances or ("instance", "$instance") in matchers


def test_rates_follow_the_zoom(dashboard: dict[str, Any]) -> None:
    for panel in drawn(dashboard):
        for target in panel["targets"]:
            if panel["type"] != "timeseries" or names(target["expr"]) <= RECORDED:
                continue
            expression = target["expr"]
            windows = re.findall(r"[^\"|]\[([^]]*)\]", expression)
            assert set(windows) <= {"$__rate_interval"}


def test_views_of_weeks_read_recorded_series_only() -> None:
    for board in boards.ALL:
        if board.since not in ("now-28d",):
            continue
        for target in targets(load(board.name)):
            assert names(target["expr"]) <= RECORDED


def test_tables_and_large_digits_ask_for_one_moment(dashboard: dict[str, Any]) -> None:
    for panel in drawn(dashboard):
        for target in panel["targets"]:
            assert target["range"] is (panel["type"] == "timeseries")
            assert target["instant"] is (panel["type"] != "timeseries")


def test_exemplars_are_of_histograms_that_carry_them(dashboard: dict[str, Any]) -> None:
    for target in targets(dashboard):
        if target["exemplar"]:
            assert "histogram_quantile(" in target["expr"]
            assert not names(target["expr"]) & RECORDED


def test_the_incident_shows_exemplars() -> None:
    assert any(target["exemplar"] for target in targets(load("incident")))


def test_colours_are_those_that_mean_something(dashboard: dict[str, Any]) -> None:
    used = set(re.findall(r"#[0-9a-f]{6}", json.dumps(dashboard)))
    assert used <= {colours.GOOD, colours.BAD, *colours.ROLES.values()}


def test_red_is_kept_for_what_is_bad() -> None:
    assert colours.BAD not in colours.SERIES
    assert {role for role, colour in colours.ROLES.items() if colour == colours.BAD} == {
        "errors",
        "limit",
    }


def test_a_threshold_is_a_number_of_the_contract(dashboard: dict[str, Any]) -> None:
    levels = {value for _, _, value in slo.keyed(slo.DEFAULTS)}
    derived = {0, *(round(1 - level, 6) for level in levels), slo.DEFAULTS.tail.unusual - 1}
    for panel in drawn(dashboard):
        every = [panel["fieldConfig"]["defaults"]["thresholds"]] + [
            one["value"]
            for each in panel["fieldConfig"]["overrides"]
            for one in each["properties"]
            if one["id"] == "thresholds"
        ]
        for steps in (each["steps"] for each in every):
            assert {step["value"] for step in steps if step.get("value") is not None} <= (
                levels | derived
            )


def test_variables_choose_data_source_and_services_first(dashboard: dict[str, Any]) -> None:
    variables = {variable["name"]: variable for variable in dashboard["templating"]["list"]}
    assert list(variables)[:2] == ["datasource", places.JOB_VARIABLE]
    assert variables["datasource"]["query"] == "prometheus"
    assert variables[places.JOB_VARIABLE]["includeAll"]
    for variable in variables.values():
        assert variable["label"]
        if variable["type"] == "query":
            assert variable["datasource"]["uid"] == "${datasource}"
            series = variable["query"].removeprefix("label_values(").rpartition(",")[0]
            assert {selector.name for selector in parsed(series)} <= KNOWN


def test_what_a_dashboard_uses_can_be_chosen_and_what_can_be_chosen_is_used(
    dashboard: dict[str, Any],
) -> None:
    offered = set(names_of_variables(dashboard))
    text = json.dumps([dashboard["panels"], dashboard["annotations"]])
    used = set(re.findall(r"\$\{?([a-z]+)\b", text))
    assert offered == used


def test_the_window_is_one_that_is_recorded() -> None:
    (window,) = (
        each
        for each in load("incident")["templating"]["list"]
        if each["name"] == places.WINDOW_VARIABLE
    )
    burns = [each for each in expressions(load("incident")) if "$window" in each]
    assert len(burns) == 2
    for option in window["options"]:
        for burn in burns:
            read = {each.name for each in parsed(burn.replace("$window", option["value"]))}
            assert read <= RECORDED
    assert window["current"]["value"] in {promql.duration(3600)}
