"""What a service sends and shows reaches the backends, through the collector alone."""

import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from prometheus_client import CollectorRegistry, Counter, Histogram, Info, start_http_server

from instrumentation.contract import watchers
from instrumentation.contract.slo import DEFAULTS
from stack.environment import REPOSITORY
from tests.stack.running import BACKENDS, eventually, free_ports, started

pytestmark = pytest.mark.stack

RUNBOOKS = REPOSITORY / "alerts" / "runbooks"
TRACE = "0af7651916cd43dd8448eb211c80319c"


@pytest.fixture(scope="module")
def ports() -> dict[str, str]:
    return free_ports()


@pytest.fixture(scope="module")
def service(ports: dict[str, str]) -> Iterator[None]:
    """A service on the demo's port, as far as `/metrics` goes."""
    registry = CollectorRegistry()
    Info("target", "Target", registry=registry).info(
        {"deployment_environment_name": "test", "service_version": "1.2.3"}
    )
    Counter("widgets", "Widgets", registry=registry).inc(7)
    duration = Histogram(
        "job_duration_seconds", "Duration", ["http_route"], registry=registry, buckets=(0.15, 1.5)
    )
    duration.labels("/a").observe(0.1, {"trace_id": TRACE, "span_id": "b7ad6b7169203331"})
    server, thread = start_http_server(int(ports["DEMO_PORT"]), "127.0.0.1", registry)
    yield
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture(scope="module")
def stack(
    tmp_path_factory: pytest.TempPathFactory, ports: dict[str, str], service: None
) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("stack")
    with started(folder, ports, "--only", BACKENDS, "--scale", "10"):
        yield folder


def query(ports: dict[str, str], expression: str) -> list[dict[str, Any]]:
    answer = httpx.get(
        f"http://127.0.0.1:{ports['PROMETHEUS_PORT']}/api/v1/query", params={"query": expression}
    )
    result: list[dict[str, Any]] = answer.raise_for_status().json()["data"]["result"]
    return result


@pytest.mark.usefixtures("stack")
def test_a_counter_arrives_with_job_instance_and_environment(ports: dict[str, str]) -> None:
    (series,) = eventually(lambda: query(ports, "widgets_total"))
    assert series["metric"] == {
        "__name__": "widgets_total",
        "job": "orders",
        "instance": f"127.0.0.1:{ports['DEMO_PORT']}",
        "deployment_environment_name": "test",
    }
    assert series["value"][1] == "7"


@pytest.mark.usefixtures("stack")
def test_buckets_keep_the_bounds_of_the_text(ports: dict[str, str]) -> None:
    series = eventually(lambda: query(ports, "job_duration_seconds_bucket"))
    assert {each["metric"]["le"] for each in series} == {"0.15", "1.5", "+Inf"}


@pytest.mark.usefixtures("stack")
def test_target_info_carries_the_version(ports: dict[str, str]) -> None:
    (series,) = eventually(lambda: query(ports, "target_info{job='orders'}"))
    assert series["metric"]["service_version"] == "1.2.3"


@pytest.mark.usefixtures("stack")
def test_an_exemplar_keeps_its_trace(ports: dict[str, str]) -> None:
    def exemplars() -> list[dict[str, Any]]:
        answer = httpx.get(
            f"http://127.0.0.1:{ports['PROMETHEUS_PORT']}/api/v1/query_exemplars",
            params={
                "query": "job_duration_seconds_bucket",
                "start": time.time() - 600,
                "end": time.time(),
            },
        )
        data: list[dict[str, Any]] = answer.raise_for_status().json()["data"]
        return data

    (found,) = eventually(exemplars)
    assert found["exemplars"][0]["labels"]["trace_id"] == TRACE


@pytest.mark.usefixtures("stack")
@pytest.mark.parametrize("job", ["otel-collector", "jaeger", "prometheus", "alertmanager"])
def test_prometheus_scrapes_the_backends_itself(ports: dict[str, str], job: str) -> None:
    eventually(lambda: query(ports, f"up{{job='{job}'}} == 1"))


@pytest.mark.usefixtures("stack")
def test_a_service_that_is_down_is_seen(ports: dict[str, str]) -> None:
    eventually(lambda: query(ports, "up{job='payments'} == 0"))


@pytest.mark.usefixtures("stack")
def test_rules_are_evaluated(ports: dict[str, str]) -> None:
    eventually(lambda: query(ports, "test:one == 1"))


@pytest.mark.usefixtures("stack")
@pytest.mark.parametrize(
    ("name", "labels"),
    [
        ("otelcol_receiver_refused_metric_points", {"receiver"}),
        ("otelcol_receiver_failed_metric_points", {"receiver"}),
        ("otelcol_exporter_queue_size", {"exporter", "data_type"}),
        ("otelcol_exporter_queue_capacity", {"exporter", "data_type"}),
        ("prometheus_rule_evaluation_failures_total", {"rule_group"}),
        ("prometheus_rule_group_iterations_missed_total", {"rule_group"}),
        ("prometheus_notifications_errors_total", {"alertmanager"}),
        ("prometheus_notifications_sent_total", {"alertmanager"}),
        ("alertmanager_notifications_total", {"integration"}),
        ("alertmanager_notifications_failed_total", {"integration"}),
    ],
)
def test_the_backends_tell_what_the_watchers_read(
    ports: dict[str, str], name: str, labels: set[str]
) -> None:
    assert name in watchers.EXTERNAL
    found = eventually(lambda: query(ports, name))
    assert all(labels | {"job", "instance"} <= each["metric"].keys() for each in found)


@pytest.mark.slow
@pytest.mark.usefixtures("stack")
def test_what_prometheus_refuses_is_seen_as_dropped(ports: dict[str, str]) -> None:
    """The first loss is the counter's first sample, which must count."""
    expression = watchers.collector_dropping(DEFAULTS.scaled(10))
    window = DEFAULTS.scaled(10).watchers.window
    known = f"target_info{{job='otel-collector'}} offset {window:g}s"
    eventually(lambda: query(ports, known), seconds=2 * window)
    assert query(ports, expression) == []
    send_old_metric(ports)
    (found,) = eventually(lambda: query(ports, expression))
    assert found["metric"]["exporter"] == "otlp_http/prometheus"
    assert found["metric"]["signal"] == "metric_points"
    assert float(found["value"][1]) == 1


@pytest.mark.usefixtures("stack")
def test_a_span_reaches_jaeger_without_its_secrets(ports: dict[str, str]) -> None:
    trace_id = send_span(
        ports,
        {
            "url.full": "http://a.test/b?token=hunter2&page=3",
            "http.request.header.authorization": "Bearer hunter2hunter2",
            "db.user.password": "hunter2",
            "gen_ai.usage.input_tokens": 42,
            "note": "postgresql://root:hunter2@db/app",
        },
    )
    text = eventually(lambda: read_trace(ports, trace_id))
    assert "hunter2" not in text
    assert "page=3" in text
    assert '"42"' in text
    assert "jaeger" not in services(ports)


def test_every_address_that_is_printed_answers(stack: Path) -> None:
    addresses = re.findall(r"http://127\S+", (stack / "up.log").read_text())
    assert len(addresses) == 3
    for address in addresses:
        assert httpx.get(address).status_code == httpx.codes.OK, address


def send_old_metric(ports: dict[str, str]) -> None:
    """Send one sample of the year 2001, which is older than what Prometheus takes."""
    point = {"asDouble": 1, "timeUnixNano": "1000000000000000000"}
    metric = {"name": "old", "gauge": {"dataPoints": [point]}}
    body = {"resourceMetrics": [{"scopeMetrics": [{"metrics": [metric]}]}]}
    url = f"http://127.0.0.1:{ports['OTLP_HTTP_PORT']}/v1/metrics"
    httpx.post(url, json=body).raise_for_status()


def send_span(ports: dict[str, str], attributes: dict[str, Any]) -> str:
    provider = TracerProvider(resource=Resource.create({"service.name": "orders"}))
    endpoint = f"http://127.0.0.1:{ports['OTLP_HTTP_PORT']}/v1/traces"
    provider.add_span_processor(SimpleSpanProcessor(OTLPSpanExporter(endpoint=endpoint)))
    with provider.get_tracer("test").start_as_current_span("work", attributes=attributes) as span:
        span.add_event("exception", {"exception.message": "refused: password=hunter2"})
    provider.shutdown()
    return f"{span.get_span_context().trace_id:032x}"


def read_trace(ports: dict[str, str], trace_id: str) -> str:
    url = f"http://127.0.0.1:{ports['JAEGER_QUERY_PORT']}/api/v3/traces/{trace_id}"
    answer = httpx.get(url)
    return answer.text if answer.status_code == httpx.codes.OK else ""


def services(ports: dict[str, str]) -> list[str]:
    url = f"http://127.0.0.1:{ports['JAEGER_QUERY_PORT']}/api/v3/services"
    names: list[str] = httpx.get(url).json()["services"]
    return names


@pytest.mark.usefixtures("stack")
@pytest.mark.parametrize("page", sorted(path.name for path in RUNBOOKS.glob("*.md")))
def test_every_runbook_is_where_its_alert_points(ports: dict[str, str], page: str) -> None:
    answer = httpx.get(f"http://127.0.0.1:{ports['PROMETHEUS_PORT']}/user/{page}")
    assert answer.text == (RUNBOOKS / page).read_text()
