"""OTEL_METRICS_EXPORTER=otlp: the registry arrives at a real OTLP endpoint."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi import FastAPI
from opentelemetry.proto.metrics.v1.metrics_pb2 import ResourceMetrics
from prometheus_client import Counter
from starlette.testclient import TestClient

from instrumentation import Settings, Telemetry
from tests.instrumentation.conftest import Observed, wait_until
from tests.truth.sink import Sink, sink

SECONDS = 20.0
DURATION = "http.server.request.duration"


@pytest.fixture
def collector() -> Iterator[Sink]:
    with sink() as made:
        yield made


@pytest.fixture
def app() -> FastAPI:
    app = FastAPI()
    app.get("/ok")(lambda: "ok")
    return app


def settings(collector: Sink, **more: Any) -> Settings:
    return Settings(
        metrics_exporter="otlp", otlp_endpoint=collector.address, service_name="orders", **more
    )


def resource(pushed: ResourceMetrics) -> dict[str, str]:
    return {each.key: each.value.string_value for each in pushed.resource.attributes}


def points(pushed: ResourceMetrics, name: str) -> list[Any]:
    for metric in pushed.scope_metrics[0].metrics:
        if metric.name == name:
            return list(getattr(metric, metric.WhichOneof("data") or "").data_points)
    return []


@pytest.mark.proves(
    "Processes", "OTEL_METRICS_EXPORTER=otlp pushes the registry, with exemplars and start times"
)
def test_a_flush_sends_what_was_measured(app: FastAPI, collector: Sink, observed: Observed) -> None:
    mine = Counter("mine", "A metric of the user's.", registry=observed.registry)
    telemetry = observed.instrument_with(app, settings(collector))
    client = TestClient(app)
    client.get("/ok")
    mine.inc(3)
    assert telemetry.flush(SECONDS)

    (pushed,) = collector.metrics
    assert resource(pushed)["service.name"] == "orders"
    assert resource(pushed)["service.instance.id"]
    (point,) = points(pushed, DURATION)
    context = observed.span().context
    (exemplar,) = point.exemplars
    assert (point.count, exemplar.span_id) == (1, context.span_id.to_bytes(8, "big"))
    assert 0 < point.start_time_unix_nano < point.time_unix_nano
    assert points(pushed, "mine")[0].as_double == 3


def test_it_is_sent_again_and_again(app: FastAPI, collector: Sink, observed: Observed) -> None:
    telemetry = observed.instrument_with(app, settings(collector, metric_interval_seconds=0.01))
    telemetry.start()
    wait_until(lambda: len(collector.metrics) > 2)


def test_there_is_no_metrics_endpoint(app: FastAPI, collector: Sink, observed: Observed) -> None:
    observed.instrument_with(app, settings(collector))
    assert TestClient(app).get("/metrics").status_code == 404


@pytest.mark.proves("Processes", "shutdown flushes within a bound")
def test_the_end_of_the_application_sends_once_more(
    app: FastAPI, collector: Sink, observed: Observed
) -> None:
    observed.instrument_with(app, settings(collector, shutdown_seconds=SECONDS))
    with TestClient(app) as client:
        client.get("/ok")
    (pushed,) = collector.metrics
    assert points(pushed, DURATION)[0].count == 1


def test_two_applications_send_one_registry_once(collector: Sink, observed: Observed) -> None:
    first, second = FastAPI(), FastAPI()
    one = observed.instrument_with(first, settings(collector))
    two = observed.instrument_with(second, settings(collector))
    one.shutdown(SECONDS)
    assert len(collector.metrics) == 1
    assert two.flush(SECONDS)
    two.shutdown(SECONDS)
    assert len(collector.metrics) == 3
    assert not two.flush(0)


@pytest.mark.filterwarnings("ignore:.*use of fork.*:DeprecationWarning")
@pytest.mark.proves("Processes", "forking after import loses no exporter thread")
@pytest.mark.proves("Processes", "a fresh service.instance.id after each fork")
def test_a_child_sends_what_it_counts_itself_under_its_own_name(
    app: FastAPI, collector: Sink, observed: Observed
) -> None:
    mine = Counter("mine", "A metric of the user's.", registry=observed.registry)
    telemetry = observed.instrument_with(app, settings(collector))
    telemetry.start()
    mine.inc(5)
    child = os.fork()
    if child == 0:
        mine.inc(2)
        os._exit(0 if telemetry.flush(SECONDS) else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert telemetry.flush(SECONDS)

    first, second = collector.metrics
    assert points(first, "mine")[0].as_double == 2
    assert points(second, "mine")[0].as_double == 5
    assert (
        points(first, "mine")[0].start_time_unix_nano
        > points(second, "mine")[0].start_time_unix_nano
    )
    assert resource(first)["service.instance.id"] != resource(second)["service.instance.id"]
    assert {k: v for k, v in resource(first).items() if k != "service.instance.id"} == {
        k: v for k, v in resource(second).items() if k != "service.instance.id"
    }


def test_an_instance_that_the_user_named_stays(
    app: FastAPI, collector: Sink, observed: Observed
) -> None:
    named = (("service.instance.id", "pod-7"),)
    telemetry: Telemetry = observed.instrument_with(
        app, settings(collector, resource_attributes=named)
    )
    assert telemetry.flush(SECONDS)
    assert resource(collector.metrics[0])["service.instance.id"] == "pod-7"
