"""What a person reads: templates filled in, and links that open at the right place and time."""

from __future__ import annotations

from pathlib import Path

import pytest

from alerts import generate
from alerts.model import Alert
from tests.alerts.messages import message
from tests.alerts.promtool import Simulation
from tests.alerts.simulation import Phase, service

ERRORS = (
    "5% of its requests failed with a 5xx, more than 1% (over 5 minutes; over the last hour where "
    "few requests come)."
)
# Errors begin at 1,800 s; from 1,845 s on they are more than 1 % of five minutes' requests.
BEGAN = 1845


def failing() -> list[dict[str, str]]:
    return service("orders", Phase(120), Phase(60, errors=0.05), route="/a b/{id}")


def test_an_error_page_tells_how_many_and_links_to_its_start(tmp_path: Path) -> None:
    expected = {
        "eval_time": "44m",
        "alertname": "HighErrorRatio",
        "exp_alerts": [
            message(
                "HighErrorRatio",
                BEGAN,
                severity="critical",
                summary="orders fails too many requests",
                description=ERRORS,
                traces="tags=%7B%22error%22%3A%22true%22%7D",
            ),
            message(
                "HighErrorRatio",
                BEGAN,
                level="job_route",
                http_route="/a b/{id}",
                summary="/a b/{id} of orders fails too many requests",
                description=ERRORS,
                traces="tags=%7B%22error%22%3A%22true%22%2C%22http.route%22%3A%22ROUTE%22%7D",
            ),
        ],
    }
    Simulation(("errors.yml",), failing(), evaluate="15s").run(tmp_path, alert_rule_test=[expected])


def test_a_page_names_the_causes_of_its_own_job_that_fire(tmp_path: Path) -> None:
    def firing(alert: str, job: str = "orders", **labels: str) -> dict[str, str]:
        said = {"alertname": alert, "alertstate": "firing", "kind": "cause", "job": job, **labels}
        inside = ",".join(f'{name}="{value}"' for name, value in said.items())
        return {"series": f"ALERTS{{{inside}}}", "values": "1+0x200"}

    culprit = (
        'asyncio_event_loop_culprit_seconds_total{job="orders",http_route="/a",'
        'culprit="app.py:7 hash"}'
    )
    series = [
        *failing(),
        firing("EventLoopBlocked", instance="a"),
        firing("EventLoopBlocked", instance="b"),
        firing("DependencyFailing", server_address="payments"),
        firing("DependencyFailing", job="others", server_address="elsewhere"),
        {"series": culprit, "values": "0+1x200"},
        {"series": culprit.replace(":7", ":8"), "values": "0+0.5x200"},
    ]
    expected = {
        "eval_time": "44m",
        "alertname": "HighErrorRatio",
        "exp_alerts": [
            message(
                "HighErrorRatio",
                BEGAN,
                severity=severity,
                level=level,
                summary=f"{subject} fails too many requests",
                description=ERRORS,
                cause="DependencyFailing payments, EventLoopBlocked at app.py:7 hash",
                traces=f"tags=%7B%22error%22%3A%22true%22{tag}%7D",
                **labels,
            )
            for severity, level, subject, tag, labels in (
                ("critical", "job", "orders", "", {}),
                (
                    "warning",
                    "job_route",
                    "/a b/{id} of orders",
                    "%2C%22http.route%22%3A%22ROUTE%22",
                    {"http_route": "/a b/{id}"},
                ),
            )
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
    expected = {
        "eval_time": "20m",
        "alertname": "TargetGone",
        "exp_alerts": [
            message(
                "TargetGone",
                start,
                severity="critical",
                environment="",
                summary="orders can't be seen any more",
                description=description,
            )
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
