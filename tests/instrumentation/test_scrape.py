"""`/metrics`: what it says, in which format, and that it stays out of the way."""

from __future__ import annotations

import threading

import anyio
import httpx
import pytest
from fastapi import FastAPI
from opentelemetry import trace
from prometheus_client.openmetrics.parser import text_string_to_metric_families
from starlette.testclient import TestClient

from instrumentation import Settings
from instrumentation.contract import metrics
from tests.instrumentation.conftest import Observed, Serve, wait_until

OPENMETRICS = {"accept": "application/openmetrics-text; version=1.0.0"}


@pytest.fixture
def app() -> FastAPI:
    app = FastAPI()
    app.get("/ok")(lambda: "ok")
    return app


def test_openmetrics_carries_exemplars_of_sampled_spans(app: FastAPI, observed: Observed) -> None:
    observed.instrument(app)
    client = TestClient(app)
    client.get("/ok")
    text = client.get("/metrics", headers=OPENMETRICS).text
    exemplars = [
        sample.exemplar.labels
        for family in text_string_to_metric_families(text)  # type: ignore[no-untyped-call]
        for sample in family.samples
        if sample.exemplar
    ]
    context = observed.span().context
    assert exemplars == [
        {
            "trace_id": trace.format_trace_id(context.trace_id),
            "span_id": trace.format_span_id(context.span_id),
        }
    ]


def test_a_span_that_was_not_sampled_has_no_exemplar(app: FastAPI, observed: Observed) -> None:
    observed.instrument(app)
    client = TestClient(app)
    client.get("/ok", headers={"traceparent": f"00-{'ab' * 16}-{'cd' * 8}-00"})
    assert "trace_id" not in client.get("/metrics", headers=OPENMETRICS).text
    assert observed.counts() == {("GET", "/ok", "200", ""): 1}


def test_text_is_the_default_and_head_has_no_body(app: FastAPI, observed: Observed) -> None:
    observed.instrument(app)
    client = TestClient(app)
    response = client.get("/metrics")
    assert response.headers["content-type"].startswith("text/plain")
    assert "http_server_active_requests" in response.text
    assert client.head("/metrics").content == b""
    assert client.post("/metrics").status_code == 404


def test_there_are_no_created_series(app: FastAPI, observed: Observed) -> None:
    observed.instrument(app)
    client = TestClient(app)
    client.get("/ok")
    assert "_created" not in client.get("/metrics").text


def test_metrics_are_neither_a_route_nor_a_request(app: FastAPI, observed: Observed) -> None:
    observed.instrument(app)
    client = TestClient(app)
    client.get("/metrics")
    assert "/metrics" not in client.get("/openapi.json").text
    assert [route for _, route, _, _ in observed.counts()] == ["/openapi.json"]


def test_the_path_is_a_setting(app: FastAPI, observed: Observed) -> None:
    observed.instrument(app, metrics_path="/internal/metrics")
    client = TestClient(app)
    assert client.get("/internal/metrics").status_code == 200
    assert client.get("/metrics").status_code == 404


def test_no_metrics_where_none_are_wanted(app: FastAPI, observed: Observed) -> None:
    observed.instrument(app, metrics_exporter="none")
    assert TestClient(app).get("/metrics").status_code == 404


def test_target_info_names_the_version_and_not_the_job(app: FastAPI, observed: Observed) -> None:
    attributes = (("deployment.environment.name", "test"), ("service.version", "1.2"))
    settings = Settings(service_name="orders", resource_attributes=attributes)
    observed.instrument_with(app, settings)
    (line,) = (
        line
        for line in TestClient(app).get("/metrics").text.splitlines()
        if line.startswith("target_info")
    )
    assert 'service_version="1.2"' in line
    assert 'deployment_environment_name="test"' in line
    assert "orders" not in line


def test_a_scrape_is_answered_while_every_thread_is_taken(observed: Observed, serve: Serve) -> None:
    app = FastAPI()
    taken: list[object] = []
    release = threading.Event()

    @app.get("/hold")
    def hold() -> None:
        taken.append(None)
        release.wait(30)

    observed.instrument(app)
    base = serve(app)

    async def hold_all() -> None:
        async with httpx.AsyncClient(timeout=30) as client, anyio.create_task_group() as tasks:
            for _ in range(40):
                tasks.start_soon(client.get, f"{base}/hold")
            try:
                while len(taken) < 40:
                    await anyio.sleep(0.01)
                response = await client.get(f"{base}/metrics", timeout=10)
                assert response.status_code == 200
            finally:
                release.set()

    anyio.run(hold_all)
    wait_until(lambda: len(observed.spans()) == 40)


def test_every_family_is_in_the_contract(app: FastAPI, observed: Observed) -> None:
    observed.instrument(app)
    TestClient(app).get("/ok")
    known = {metric.name.removesuffix("_total"): metric for metric in metrics.ALL}
    for family in observed.registry.collect():
        assert family.name in known
        for sample in family.samples:
            assert set(sample.labels) - {"le"} == set(known[family.name].labels)


def test_forty_routes_with_three_statuses_stay_within_the_budget(observed: Observed) -> None:
    app = FastAPI()

    def endpoint(number: int) -> None:
        raise ZeroDivisionError

    for number in range(40):
        app.get(f"/route{number}/{{number}}")(endpoint)
    observed.instrument(app)
    client = TestClient(app, raise_server_exceptions=False)
    for number in range(40):
        client.get(f"/route{number}/1")
        client.get(f"/route{number}/x")
        client.post(f"/route{number}/1")
    assert len(observed.counts()) == 120
    series = [line for line in client.get("/metrics").text.splitlines() if not line.startswith("#")]
    assert len(series) <= 8000
