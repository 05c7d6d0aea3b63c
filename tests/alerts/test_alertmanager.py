"""Who hears of what: routes, teams, receivers, and what one alert silences in another."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from alerts import alertmanager, channels
from alerts.__main__ import main
from alerts.model import UNSCALED
from stack.binaries import binary
from tests.stack.running import eventually, free_ports

EXAMPLE = Path("alerts/receivers/example.yml")
HOOK = "{name: page, webhook_configs: [{url: x}]}"
ENVIRONMENT = {"deployment_environment_name": "test"}
NEWER = {"incidentio_configs", "mattermost_configs"}
WATCHDOG = {"alertname": "Watchdog", "job": "prometheus", "severity": "none", "kind": "watcher"}
GONE = {"alertname": "TargetGone", "severity": "critical", "kind": "symptom"}
COLLECTOR = {**GONE, "job": "otel-collector"}


def amtool(*arguments: str | Path) -> str:
    done = subprocess.run(
        [binary("amtool"), *arguments], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def reaches(config: Path, receiver: str, *labels: str) -> None:
    command = ("config", "routes", "test", f"--config.file={config}")
    amtool(*command, f"--verify.receivers={receiver}", *labels)


@pytest.mark.parametrize(
    ("labels", "receiver"),
    [
        (("severity=critical", "alertname=HighErrorRatio"), "page"),
        (("severity=warning", "alertname=HighErrorRatio"), "ticket"),
        (("severity=warning", "alertname=EventLoopBlocked", "kind=cause"), "ticket"),
        (("severity=info", "alertname=NaiveErrorRatio"), "log"),
        (("severity=none", "alertname=Watchdog"), "dead-man"),
        (("alertname=Unknown",), "ticket"),
        # A team without a route of its own is everybody's.
        (("severity=critical", "team=nobody"), "page"),
    ],
)
def test_each_severity_reaches_its_receiver(labels: tuple[str, ...], receiver: str) -> None:
    reaches(alertmanager.SOURCE, receiver, *labels)


def test_the_committed_configuration_is_accepted() -> None:
    assert "SUCCESS" in amtool("check-config", alertmanager.SOURCE)


def test_a_teams_pages_and_tickets_reach_the_team(tmp_path: Path) -> None:
    alertmanager.write(tmp_path, UNSCALED, None, teams=("reporting", "shop"))
    config = tmp_path / "alertmanager.yml"
    amtool("check-config", config)
    reaches(config, "page-reporting", "severity=critical", "team=reporting")
    reaches(config, "ticket-shop", "severity=warning", "team=shop")
    reaches(config, "log", "severity=info", "team=shop")
    reaches(config, "page", "severity=critical")
    assert (tmp_path / "page-shop.url").read_text() == Path("alerts/receivers/page.url").read_text()


def test_an_address_that_was_written_stays(tmp_path: Path) -> None:
    for _ in range(2):
        alertmanager.write(tmp_path, UNSCALED, None, teams=("shop",))
        assert (tmp_path / "page-shop.url").exists()
        (tmp_path / "page-shop.url").write_text("https://pager.example.org/shop")
    assert (tmp_path / "page-shop.url").read_text() == "https://pager.example.org/shop"


def test_the_example_receivers_are_accepted(tmp_path: Path) -> None:
    assert main(["--out", str(tmp_path), "--receivers", str(EXAMPLE)]) == 0
    config = tmp_path / "alertmanager" / "alertmanager.yml"
    amtool("check-config", config)
    written = {each["name"]: each for each in yaml.safe_load(config.read_text())["receivers"]}
    kinds = {"pagerduty_configs", "slack_configs", "email_configs", "webhook_configs"}
    assert {kind for each in written.values() for kind in each} == kinds | {"name"}
    # Every secret is in a file.
    text = EXAMPLE.read_text()
    assert text.count("_file:") == 4
    assert not {"api_url:", "routing_key:", "smtp_auth_password:", "url:"} & set(text.split())


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("receivers: [{name: pager}]", "nothing is sent to 'pager'; names are page, ticket, log"),
        ("receivers: {page: x}", "must hold a list `receivers`"),
        ("receivers: []\nroute: {}", "must hold a list `receivers`, and may hold `global`"),
        ("a: b: c", "is no YAML"),
        ("receivers: [page]", "nothing is sent to None"),
        ("receivers: [{name: page}]", "page sends to nobody: give it a channel"),
        ("receivers: [{name: page, slack_configs: []}]", "page sends to nobody"),
        (f"receivers: [{HOOK}, {HOOK}]", "receivers: page is there twice"),
        (
            "receivers: [{name: page, webhook_configs: [{url: x}], foo_configs: []}]",
            "receivers: page: foo_configs is no key; keys are name, discord_configs, ",
        ),
        (
            "receivers: [{name: page, webhook_configs: x}]",
            "receivers: page: webhook_configs must be a list of keys with values",
        ),
        (f"receivers: [{HOOK}]\nglobal: [x]", "global: must be keys with values, not ['x']"),
    ],
)
def test_wrong_receivers_are_refused(text: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "receivers.yml"
    path.write_text(text)
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - its text is compared below
        alertmanager.write(tmp_path / "out", UNSCALED, None, receivers=path)
    assert str(caught.value).startswith(f"{path}: ")
    assert message in str(caught.value)


def test_a_ticket_may_be_for_nobody(tmp_path: Path) -> None:
    path = tmp_path / "receivers.yml"
    path.write_text("receivers: [{name: ticket}]")
    alertmanager.write(tmp_path / "out", UNSCALED, None, receivers=path)
    amtool("check-config", tmp_path / "out" / "alertmanager.yml")


def test_the_channels_are_those_that_alertmanager_knows(tmp_path: Path) -> None:
    """Of the native version; what newer ones send to is no mistake either."""
    for channel in channels.CHANNELS:
        config = {"route": {"receiver": "a"}, "receivers": [{"name": "a", channel: []}]}
        (tmp_path / "alertmanager.yml").write_text(yaml.safe_dump(config))
        command = [str(binary("amtool")), "check-config", str(tmp_path / "alertmanager.yml")]
        known = subprocess.run(command, capture_output=True, check=False).returncode == 0
        assert known or channel in NEWER, channel


@pytest.mark.parametrize("status", ["firing", "resolved"])
def test_a_message_says_what_a_person_needs(status: str, tmp_path: Path) -> None:
    alert = {
        "status": status,
        "labels": {"alertname": "HighErrorRatio", "job": "orders"},
        "annotations": {
            "summary": "orders fails too many requests",
            "description": "5% of its requests failed.",
            "cause": "DependencyFailing payments",
            "runbook_url": "http://runbooks/HighErrorRatio.md",
            "dashboard_url": "http://grafana/d/x?from=1",
            "traces_url": "http://jaeger/search?service=orders",
        },
        "startsAt": "2026-03-01T10:00:00+02:00",
        "endsAt": "2026-03-01T08:30:00Z",
    }
    data = tmp_path / "data.json"
    data.write_text(json.dumps({"status": status, "alerts": [alert]}))

    def rendered(name: str) -> str:
        return amtool(
            *("template", "render", f"--template.glob={alertmanager.TEMPLATES}/*.tmpl"),
            *(f"--template.data={data}", f'--template.text={{{{ template "{name}" . }}}}'),
        ).strip()

    title = f"[{status.upper()}] orders fails too many requests"
    assert rendered("observability.title") == title
    since = "Since 2026-03-01 08:00:00 UTC."
    over = "From 2026-03-01 08:00:00 UTC until 2026-03-01 08:30:00 UTC."
    assert rendered("observability.text").splitlines() == [
        "orders fails too many requests",
        since if status == "firing" else over,
        "5% of its requests failed.",
        "Likely cause: DependencyFailing payments.",
        "Runbook: http://runbooks/HighErrorRatio.md",
        "Dashboard: http://grafana/d/x?from=1",
        "Traces: http://jaeger/search?service=orders",
    ]


@pytest.fixture
def running(tmp_path: Path) -> Iterator[str]:
    """The address of a real Alertmanager with the committed configuration."""
    port = free_ports()["ALERTMANAGER_PORT"]
    alertmanager.write(tmp_path, UNSCALED, "http://127.0.0.1:9")
    command = [
        str(binary("alertmanager")),
        f"--config.file={tmp_path / 'alertmanager.yml'}",
        f"--storage.path={tmp_path}",
        "--cluster.listen-address=",
        f"--web.listen-address=127.0.0.1:{port}",
    ]
    with (tmp_path / "log").open("wb") as log, subprocess.Popen(command, stderr=log) as process:
        try:
            url = f"http://127.0.0.1:{port}"
            eventually(lambda: ready(url), explain=lambda: (tmp_path / "log").read_text())
            yield url
        finally:
            process.terminate()


def ready(url: str) -> bool:
    try:
        return httpx.get(f"{url}/-/ready").is_success
    except httpx.TransportError:
        return False


def expect(url: str, alerts: tuple[dict[str, str], ...], silenced: set[str]) -> None:
    """Fire alerts together, and demand that these of them (name, job, level) are silenced.

    Alertmanager learns of a silencing alert a moment after it answered. Every case silences
    something, and what it learns last is known by then.
    """
    named = [{"job": "orders", **ENVIRONMENT, **each} for each in alerts]
    httpx.post(f"{url}/api/v2/alerts", json=[{"labels": each} for each in named]).raise_for_status()

    def found() -> set[str]:
        answer: list[dict[str, Any]] = httpx.get(f"{url}/api/v2/alerts").raise_for_status().json()
        return {
            " ".join(each["labels"].get(name, "-") for name in ("alertname", "job", "level"))
            for each in answer
            if each["status"]["inhibitedBy"]
        }

    eventually(lambda: found() == silenced, explain=found)


def symptom(name: str, severity: str = "critical", **labels: str) -> dict[str, str]:
    return {"alertname": name, "severity": severity, "kind": "symptom", **labels}


CAUSE = {"alertname": "EventLoopBlocked", "severity": "warning", "kind": "cause"}
SIGNAL = {"alertname": "UnavailableResponses", "severity": "warning", "kind": "signal"}


def test_a_page_silences_its_tickets_and_no_cause(running: str) -> None:
    ticket = symptom("HighErrorRatio", "warning", level="job_route", http_route="/a")
    other = symptom("HighTailLatency", "warning", level="job_route", http_route="/a")
    page = symptom("HighErrorRatio", level="job")
    expect(running, (page, ticket, other, CAUSE, SIGNAL), {"HighErrorRatio orders job_route"})


def test_a_service_that_is_gone_silences_its_symptoms_and_no_cause(running: str) -> None:
    others = (symptom("HighErrorRatio"), symptom("TrafficGone"), SIGNAL)
    silenced = {"HighErrorRatio", "TrafficGone", "UnavailableResponses"}
    expect(running, (GONE, *others, CAUSE), {f"{name} orders -" for name in silenced})


def test_what_is_gone_silences_no_other_service_or_environment(running: str) -> None:
    own = symptom("HighErrorRatio")
    other = symptom("HighErrorRatio", job="payments")
    elsewhere = symptom("HighTailLatency", deployment_environment_name="other")
    expect(running, (GONE, own, other, elsewhere), {"HighErrorRatio orders -"})


def test_missing_traffic_is_told_once(running: str) -> None:
    both = (symptom("TrafficGone"), symptom("TrafficDrop"))
    expect(running, both, {"TrafficDrop orders -"})


def test_a_dead_collector_silences_all_about_services_and_nothing_about_backends(
    running: str,
) -> None:
    about_services = (GONE, symptom("HighErrorRatio", job="payments"), CAUSE, SIGNAL)
    backends = tuple({**GONE, "job": job} for job in ("prometheus", "alertmanager", "jaeger"))
    refusing = {"alertname": "CollectorRefusing", "kind": "watcher", "job": "otel-collector"}
    silenced = {
        "TargetGone orders -",
        "HighErrorRatio payments -",
        "EventLoopBlocked orders -",
        "UnavailableResponses orders -",
    }
    expect(running, (COLLECTOR, *about_services, *backends, refusing, WATCHDOG), silenced)
