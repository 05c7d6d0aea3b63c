"""A click leads from a service to its routes and traces, and keeps the range."""

from __future__ import annotations

import re
from typing import Any

import pytest

from dashboards import links
from tests.dashboards.reading import DASHBOARDS, drawn, load, names_of_variables


@pytest.fixture(params=sorted(DASHBOARDS))
def dashboard(request: pytest.FixtureRequest) -> dict[str, Any]:
    return load(request.param)


def test_every_dashboard_lists_the_others_and_keeps_range_and_variables(
    dashboard: dict[str, Any],
) -> None:
    (listed,) = dashboard["links"]
    assert listed["type"] == "dashboards"
    assert listed["tags"] == [links.TAG]
    assert links.TAG in dashboard["tags"]
    assert listed["keepTime"]
    assert listed["includeVars"]


def addresses(node: Any) -> list[str]:
    if isinstance(node, dict):
        own = [node["url"]] if node.get("url") else []
        return own + [url for value in node.values() for url in addresses(value)]
    if isinstance(node, list):
        return [url for value in node for url in addresses(value)]
    return []


def test_a_click_leads_to_a_dashboard_or_to_traces_of_the_range(
    dashboard: dict[str, Any],
) -> None:
    offered = {load(name)["uid"]: set(names_of_variables(load(name))) for name in DASHBOARDS}
    for url in addresses(dashboard["panels"]):
        if url.startswith("${jaeger:raw}/search?service="):
            assert "start=${__from}000&end=${__to}000" in url
            continue
        found = re.match(r"/d/([a-z-]+)\?", url)
        assert found
        assert "${__url_time_range}" in url
        assert set(re.findall(r"[?&]var-(\w+)=", url)) <= offered[found[1]]


def test_each_durations_and_errors_panel_of_the_incident_leads_to_traces() -> None:
    for title in (
        "Which share of the requests fails?",
        "How long do requests take?",
        "Is it one instance?",
        "Which routes are slow or fail?",
        "Which dependency fails?",
        "Which dependency is slow?",
    ):
        (panel,) = (each for each in drawn(load("incident")) if each["title"] == title)
        assert any("/search?service=" in url for url in addresses(panel))


def test_a_cell_that_a_link_reads_is_a_column_of_its_table(dashboard: dict[str, Any]) -> None:
    for panel in drawn(dashboard):
        read = {
            name
            for url in addresses(panel)
            for name in re.findall(r'__data\.fields\["([^"]+)"\]', url)
        }
        if read:
            (organized,) = (
                each["options"]["renameByName"]
                for each in panel["transformations"]
                if each["id"] == "organize"
            )
            assert read <= set(organized.values())


def test_a_route_in_a_table_leads_to_its_dashboard_and_its_traces() -> None:
    for name in ("incident", "trend"):
        (panel,) = (
            each
            for each in drawn(load(name))
            if each["title"].startswith(("Which routes are slow", "How does each route"))
        )
        found = addresses(panel)
        assert any(url.startswith("/d/fastapi-route?var-job=") for url in found)
        assert any("/search?service=" in url for url in found)
