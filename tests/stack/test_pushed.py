"""A service that sends its metrics looks in Prometheus like one that is scraped."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.processes.server import Server, running, uvicorn
from tests.stack.running import eventually, free_ports, started

pytestmark = pytest.mark.stack

ENVIRONMENT = {
    "OTEL_RESOURCE_ATTRIBUTES": "deployment.environment.name=test,service.version=1.2.3",
    "OTEL_TRACES_EXPORTER": "otlp",
}
OURS_ALONE = {"job", "instance", "generation"}
"""What tells the two apart, or says which of the collector's generations has run so far."""
CHANCE = "up|scrape_.*|target_info|asyncio_event_loop_(blocked|culprit|stalled)_.*"
"""What only a scrape has, and what a busy machine makes of one of the two."""
Series = frozenset[tuple[str, str]]


@pytest.fixture(scope="module")
def ports() -> dict[str, str]:
    return free_ports()


@pytest.fixture(scope="module", autouse=True)
def stack(tmp_path_factory: pytest.TempPathFactory, ports: dict[str, str]) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("stack")
    only = ("--only", "prometheus,alertmanager,jaeger,collector")
    with started(folder, ports, *only, "--scale", "10"):
        yield folder


@pytest.fixture(scope="module")
def services(
    tmp_path_factory: pytest.TempPathFactory, ports: dict[str, str]
) -> Iterator[tuple[Server, Server]]:
    """The same application twice, asked the same: one is scraped, the other one sends."""
    collector = f"http://127.0.0.1:{ports['OTLP_HTTP_PORT']}"
    environment = {**ENVIRONMENT, "OTEL_EXPORTER_OTLP_ENDPOINT": collector}
    scraped = {**environment, "OTEL_SERVICE_NAME": "orders"}
    sending = {
        **environment,
        "OTEL_SERVICE_NAME": "sending",
        "OTEL_METRICS_EXPORTER": "otlp",
        "OTEL_METRIC_EXPORT_INTERVAL": "500",
    }
    folder = tmp_path_factory.mktemp("services")
    with (
        running(uvicorn(1), folder, scraped, ports["DEMO_PORT"]) as one,
        running(uvicorn(1), folder, sending) as other,
    ):
        for server in (one, other):
            for path in ("/pid", "/slow?seconds=0", "/pid"):
                server.ask(path)
        yield one, other


def query(ports: dict[str, str], path: str, **params: Any) -> Any:
    address = f"http://127.0.0.1:{ports['PROMETHEUS_PORT']}/api/v1/{path}"
    return httpx.get(address, params=params).raise_for_status().json()["data"]


def series(ports: dict[str, str], job: str) -> dict[Series, str]:
    """The series of a job with their values, without the labels that say whose they are.

    `target_info` differs: the collector adds the address that it scrapes.
    """
    ours = f'{{job="{job}", __name__!~"{CHANCE}"}}'
    found = query(ports, "query", query=ours)["result"]
    return {
        frozenset((k, v) for k, v in each["metric"].items() if k not in OURS_ALONE): each["value"][
            1
        ]
        for each in found
    }


def counts(found: dict[Series, str]) -> dict[Series, str]:
    """The numbers of requests, which both services were asked alike."""
    name = ("__name__", "http_server_request_duration_seconds_count")
    return {labels: value for labels, value in found.items() if name in labels}


@pytest.mark.proves("Processes", "pushed names and units are OpenTelemetry's")
@pytest.mark.usefixtures("services")
def test_names_labels_and_values_are_those_of_a_scrape(ports: dict[str, str]) -> None:
    def same() -> bool:
        scraped, pushed = series(ports, "orders"), series(ports, "sending")
        return (
            bool(counts(scraped))
            and set(scraped) == set(pushed)
            and (counts(scraped) == counts(pushed))
        )

    def difference() -> str:
        scraped, pushed = series(ports, "orders"), series(ports, "sending")
        both = set(scraped) ^ set(pushed)
        return "\n".join(f"{labels in scraped}: {dict(labels)}" for labels in sorted(both, key=str))

    eventually(same, explain=difference)


@pytest.mark.proves(
    "Processes", "OTEL_METRICS_EXPORTER=otlp pushes the registry, with exemplars and start times"
)
@pytest.mark.usefixtures("services")
def test_exemplars_arrive(ports: dict[str, str]) -> None:
    def exemplars() -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = query(
            ports,
            "query_exemplars",
            query='http_server_request_duration_seconds_bucket{job="sending"}',
            start=time.time() - 600,
            end=time.time(),
        )
        return found

    for each in eventually(exemplars):
        assert each["exemplars"][0]["labels"].keys() >= {"trace_id", "span_id"}


@pytest.mark.usefixtures("services")
def test_each_process_is_an_instance(ports: dict[str, str]) -> None:
    (found,) = eventually(
        lambda: query(ports, "query", query='target_info{job="sending"}')["result"]
    )
    assert len(found["metric"]["instance"]) == 36
    assert found["metric"]["service_version"] == "1.2.3"
