"""What an alert links to exists, and what the documentation says of alerts can be done."""

from __future__ import annotations

import json
import re
from pathlib import Path

import yaml

from alerts import config, generate
from alerts.model import Alert
from instrumentation.contract import places

RUNBOOKS = Path("alerts/runbooks")
DASHBOARDS = Path("dashboards/generated")


def messages() -> list[dict[str, str]]:
    return [
        rule["annotations"]
        for text in generate.rule_files().values()
        for group in yaml.safe_load(text)["groups"]
        for rule in group["rules"]
        if "alert" in rule
    ]


def test_every_runbook_link_leads_to_a_page() -> None:
    links = {each["runbook_url"] for each in messages()}
    assert len(links) > 30
    for link in links:
        assert link.startswith(f"{places.RUNBOOKS_URL}/")
        assert (RUNBOOKS / link.removeprefix(f"{places.RUNBOOKS_URL}/")).is_file(), link


def test_every_dashboard_link_leads_to_a_dashboard_with_those_variables() -> None:
    boards = {
        board["uid"]: {each["name"] for each in board["templating"]["list"]}
        for board in (json.loads(path.read_text()) for path in DASHBOARDS.glob("*.json"))
    }
    for each in messages():
        link = each["dashboard_url"]
        uid = re.fullmatch(rf"{places.GRAFANA_URL}/d/([a-z-]+)\?.*", link)
        assert uid, link
        assert set(re.findall(r"[?&]var-(\w+)=", link)) <= boards[uid[1]], link


def test_every_alert_but_a_watcher_links_to_traces() -> None:
    alerts = [
        rule for group in generate.groups() for rule in group.rules if isinstance(rule, Alert)
    ]
    for alert, said in zip(alerts, messages(), strict=True):
        expected = alert.kind != "watcher"
        assert said.get("traces_url", "").startswith(f"{places.JAEGER_URL}/search?") == expected
        assert ("cause" in said) == (alert.kind == "symptom")


def test_no_cause_pages() -> None:
    alerts = [
        rule for group in generate.groups() for rule in group.rules if isinstance(rule, Alert)
    ]
    causes = [alert for alert in alerts if alert.kind == "cause"]
    assert len(causes) > 10
    assert {alert.severity for alert in causes} == {"warning"}


def test_every_runbook_that_a_runbook_names_exists() -> None:
    names = {path.stem for path in RUNBOOKS.glob("*.md")}
    words = {
        word
        for path in RUNBOOKS.glob("*.md")
        # Queries and class names aside, two capitals in a word are an alert's name.
        for word in re.findall(r"\b[A-Z][a-z]+(?:[A-Z][a-z]+)+\b", _prose(path.read_text()))
    }
    assert words - names <= {"SQLAlchemy", "StreamingResponse", "BackgroundTasks"}


def test_the_documentation_names_every_alert() -> None:
    text = Path("docs/alerts.md").read_text()
    names = {path.stem for path in RUNBOOKS.glob("*.md")}
    assert {name for name in names if name not in text and not name.startswith("Naive")} == set()


def test_the_documented_plan_can_be_used() -> None:
    text = Path("docs/alert-configuration.md").read_text()
    (block,) = re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)
    plan = config.parse(yaml.safe_load(block))
    assert plan.teams == ("platform", "reporting")
    assert generate.rule_files(plan) != generate.rule_files()


def _prose(text: str) -> str:
    return re.sub(r"```.*?```|`[^`]*`", "", text, flags=re.DOTALL)
