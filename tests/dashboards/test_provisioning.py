"""Grafana finds its data sources and dashboards, and exemplars find their traces."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from instrumentation.contract import promql, slo

FOLDER = Path("dashboards/provisioning")


def load(name: str) -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load((FOLDER / name).read_text())
    return content


def test_an_exemplar_links_to_its_trace_in_jaeger() -> None:
    sources = {each["uid"]: each for each in load("datasources/datasources.yml")["datasources"]}
    assert {uid: source["type"] for uid, source in sources.items()} == {
        "prometheus": "prometheus",
        "jaeger": "jaeger",
    }
    (link,) = sources["prometheus"]["jsonData"]["exemplarTraceIdDestinations"]
    assert link == {"name": "trace_id", "datasourceUid": "jaeger"}


def test_addresses_come_from_the_environment() -> None:
    sources = load("datasources/datasources.yml")["datasources"]
    assert [source["url"] for source in sources] == ["${PROMETHEUS_URL}", "${JAEGER_URL}"]


def test_grafana_knows_the_scrape_interval() -> None:
    prometheus = load("datasources/datasources.yml")["datasources"][0]
    expected = promql.duration(slo.SCRAPE_INTERVAL_SECONDS)
    assert prometheus["jsonData"]["timeInterval"] == expected


def test_nothing_provisioned_can_be_edited() -> None:
    assert not any(each["editable"] for each in load("datasources/datasources.yml")["datasources"])
    (provider,) = load("dashboards/dashboards.yml")["providers"]
    assert provider["allowUiUpdates"] is False
    assert provider["disableDeletion"] is True
