"""What a person reads: templates filled in, and links that open at the right place and time."""

from __future__ import annotations

from pathlib import Path

import pytest

from alerts import generate
from alerts.model import Alert
from tests.alerts.promtool import Simulation
from tests.alerts.simulation import Phase, service

LINK = "http://127.0.0.1:3000/d/fastapi-service?var-job=orders"


def test_an_error_page_tells_how_many_and_links_to_its_start(tmp_path: Path) -> None:
    series = service("orders", Phase(120), Phase(60, errors=0.05), route="/a b/{id}")
    # Errors begin at 1,800 s; from 1,845 s on they are more than 1 % of five minutes' requests.
    time = f"from={1000 * (1845 - 3600)}&to={1000 * (1845 + 1800)}"
    description = (
        "5% of its requests failed with a 5xx, more than 1% (over 5 minutes; over the last hour "
        "where few requests come)."
    )
    runbook = "http://127.0.0.1:9090/user/HighErrorRatio.md"
    labels = {"job": "orders", "deployment_environment_name": "test"}
    expected = {
        "eval_time": "44m",
        "alertname": "HighErrorRatio",
        "exp_alerts": [
            {
                "exp_labels": {**labels, "severity": "critical", "level": "job"},
                "exp_annotations": {
                    "summary": "orders fails too many requests",
                    "description": description,
                    "runbook_url": runbook,
                    "dashboard_url": f"{LINK}&{time}",
                },
            },
            {
                "exp_labels": {
                    **labels,
                    "severity": "warning",
                    "level": "job_route",
                    "http_route": "/a b/{id}",
                },
                "exp_annotations": {
                    "summary": "/a b/{id} of orders fails too many requests",
                    "description": description,
                    "runbook_url": runbook,
                    "dashboard_url": f"{LINK}&var-route=%2Fa+b%2F%7Bid%7D&{time}",
                },
            },
        ],
    }
    Simulation(("errors.yml",), series, evaluate="15s").run(tmp_path, alert_rule_test=[expected])


@pytest.mark.parametrize(
    ("values", "start", "description"),
    [
        ("1+0x40 0+0x40", 615, "Every target of it fails to answer its scrapes."),
        (
            "1+0x40",
            # The last sample is at 600 s, and speaks for two minutes.
            720,
            "No target of it is known any more, though one was up within the past day.",
        ),
    ],
)
def test_a_lost_target_tells_how(tmp_path: Path, values: str, start: int, description: str) -> None:
    time = f"from={1000 * (start - 3600)}&to={1000 * (start + 1800)}"
    expected = {
        "eval_time": "20m",
        "alertname": "TargetGone",
        "exp_alerts": [
            {
                "exp_labels": {"job": "orders", "severity": "critical", "level": "job"},
                "exp_annotations": {
                    "summary": "orders can't be seen any more",
                    "description": description,
                    "runbook_url": "http://127.0.0.1:9090/user/TargetGone.md",
                    "dashboard_url": f"{LINK}&{time}",
                },
            }
        ],
    }
    series = [{"series": 'up{job="orders"}', "values": values}]
    Simulation(("targets.yml",), series, evaluate="15s").run(tmp_path, alert_rule_test=[expected])


def test_every_alert_says_what_a_person_needs() -> None:
    alerts = [
        rule for group in generate.groups() for rule in group.rules if isinstance(rule, Alert)
    ]
    for alert in alerts:
        assert alert.summary
        assert "\n" not in alert.summary
        assert alert.description.endswith((".", "{{ end }}"))
        assert alert.severity in {"critical", "warning", "info", "none"}
        assert "$labels.job" in alert.summary or ("job", "prometheus") in alert.labels
