"""The scenarios name rules that exist, and expect them to wait as long as they do."""

from typing import Any

import pytest
import yaml

from alerts.generate import GENERATED
from drill.scenarios import SCENARIOS, WATCHDOG, Scenario
from instrumentation.contract import promql, recorded


def rules() -> list[dict[str, Any]]:
    return [
        rule
        for path in GENERATED.glob("*.yml")
        for group in yaml.safe_load(path.read_text())["groups"]
        for rule in group["rules"]
    ]


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_the_alert_of_a_scenario_pages_for_a_service(scenario: Scenario) -> None:
    (alert,) = (
        rule
        for rule in rules()
        if rule.get("alert") == scenario.alert
        and rule["labels"]["severity"] == "critical"
        and rule["labels"]["level"] == recorded.SERVICE.name
    )
    assert alert["for"] == promql.duration(scenario.wait_seconds)
    if scenario.past:
        assert scenario.past.at(recorded.SERVICE) in alert["expr"]


def test_watchdog_calls_nobody() -> None:
    (watchdog,) = (rule for rule in rules() if rule.get("alert") == WATCHDOG)
    assert watchdog["labels"]["severity"] == "none"
