"""What differs for a service or a route differs for it alone, with the message saying so."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
import yaml

from alerts.__main__ import main
from stack.binaries import binary
from tests.alerts.promtool import Simulation
from tests.alerts.simulation import Phase, service

PLAN = """
team: platform
services:
  exports:
    team: reporting
    errors: {ratio: 10%}
    routes:
      "/archive":
        errors: {ratio: 1%, wait: 5m}
  silent:
    errors: {ratio: 50%}
"""


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("plan")
    (folder / "alerts.yaml").write_text(PLAN)
    out = folder / "out"
    assert main(["--config", str(folder / "alerts.yaml"), "--out", str(out)]) == 0
    return out


def fails(job: str, share: float, route: str = "/orders") -> list[dict[str, str]]:
    return service(job, Phase(40), Phase(80, errors=share), route=route)


def test_prometheus_accepts_the_rules_without_a_doubt(written: Path) -> None:
    files = sorted(written.glob("*.yml"))
    subprocess.run([binary("promtool"), "check", "rules", "--lint-fatal", *files], check=True)


def test_each_is_judged_by_its_own_numbers(written: Path, tmp_path: Path) -> None:
    series = [
        *fails("orders", 0.05),
        *fails("exports", 0.05),
        # One of the routes of `exports` is as strict as everybody.
        *fails("exports", 0.05, route="/archive"),
        *fails("silent", 0.2),
    ]
    asked = {
        "expr": "count by (job, http_route, severity, team) "
        '(ALERTS{alertname="HighErrorRatio", alertstate="firing"})',
        "eval_time": "25m",
        "exp_samples": [
            {"labels": labels, "value": 1}
            for labels in (
                '{job="orders", severity="critical", team="platform"}',
                '{job="orders", http_route="/orders", severity="warning", team="platform"}',
                '{job="exports", http_route="/archive", severity="warning", team="reporting"}',
            )
        ],
    }
    early = {**asked, "eval_time": "14m", "exp_samples": asked["exp_samples"][:2]}
    simulation = Simulation(("errors.yml",), series, evaluate="15s", folder=written)
    simulation.run(tmp_path, promql_expr_test=[asked, early])


def test_a_service_that_fails_beyond_its_own_number_pages_once(
    written: Path, tmp_path: Path
) -> None:
    asked = {
        "expr": 'ALERTS{alertname="HighErrorRatio", alertstate="firing", severity="critical"}',
        "eval_time": "25m",
        "exp_samples": [
            {
                "labels": 'ALERTS{alertname="HighErrorRatio", alertstate="firing", job="exports", '
                'deployment_environment_name="test", severity="critical", kind="symptom", '
                'level="job", team="reporting"}',
                "value": 1,
            }
        ],
    }
    simulation = Simulation(("errors.yml",), fails("exports", 0.2), folder=written)
    simulation.run(tmp_path, promql_expr_test=[asked])


def test_a_message_names_the_number_that_was_crossed(written: Path) -> None:
    rules = yaml.safe_load((written / "errors.yml").read_text())["groups"][0]["rules"]
    texts = [
        rule["annotations"]["description"]
        for rule in rules
        if rule.get("alert") == "HighErrorRatio" and rule["labels"]["severity"] == "critical"
    ]
    assert [text.split("more than ")[1].split(" ")[0] for text in texts] == ["1%", "10%", "50%"]


def test_a_plan_is_scaled_like_everybodys(tmp_path: Path) -> None:
    (tmp_path / "alerts.yaml").write_text(PLAN)
    arguments = ["--config", str(tmp_path / "alerts.yaml"), "--scale", "10"]
    assert main([*arguments, "--out", str(tmp_path / "out")]) == 0
    rules = yaml.safe_load((tmp_path / "out" / "errors.yml").read_text())["groups"][0]["rules"]
    waits = {rule["for"] for rule in rules if rule.get("labels", {}).get("http_route")}
    assert waits == {"30s"}


def test_the_same_rules_come_as_a_prometheus_rule(written: Path, tmp_path: Path) -> None:
    source = written.parent / "alerts.yaml"
    arguments = ["--config", str(source), "--format", "kubernetes", "--namespace", "monitoring"]
    assert main([*arguments, "--label", "release=prometheus", "--out", str(tmp_path)]) == 0
    (path,) = tmp_path.glob("*.y*ml")
    manifest = yaml.safe_load(path.read_text())
    assert (manifest["apiVersion"], manifest["kind"]) == (
        "monitoring.coreos.com/v1",
        "PrometheusRule",
    )
    assert manifest["metadata"]["namespace"] == "monitoring"
    assert manifest["metadata"]["labels"]["release"] == "prometheus"
    groups = [
        group
        for file in written.glob("*.yml")
        for group in yaml.safe_load(file.read_text())["groups"]
    ]
    by_name = {group["name"]: group for group in groups}
    assert {group["name"]: group for group in manifest["spec"]["groups"]} == by_name
    # What the operator's admission demands of each group's name: that it is unique.
    assert len(by_name) == len(groups) == len(manifest["spec"]["groups"])
