"""The exporter sends our bytes over the SDK's client."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExportResult
from prometheus_client import CollectorRegistry

from instrumentation import Settings
from instrumentation.errors import InternalErrors
from instrumentation.export import spans, timeout
from instrumentation.export.otlp import DirectExporter
from instrumentation.export.queue import AwayError, SpanQueue
from instrumentation.series import Families


class Collector(ThreadingHTTPServer):
    """Keeps what it is sent, and answers with `status`, once it may."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.received: list[ExportTraceServiceRequest] = []
        self.status = 200
        self.go = threading.Event()
        self.go.set()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    server: Collector

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        self.server.received.append(ExportTraceServiceRequest.FromString(body))
        self.server.go.wait(30)
        self.send_response(self.server.status)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_request(self, code: object = "-", size: object = "-") -> None:
        """Stay silent."""


@pytest.fixture
def collector() -> Iterator[Collector]:
    with Collector() as made:
        thread = threading.Thread(target=made.serve_forever)
        thread.start()
        yield made
        made.go.set()
        made.shutdown()
        thread.join()


def exporter(collector: Collector) -> DirectExporter:
    made = spans.exporter(Settings(otlp_endpoint=collector.address))
    assert isinstance(made, DirectExporter)
    return made


def complaints(caplog: pytest.LogCaptureFixture) -> list[logging.LogRecord]:
    return [each for each in caplog.records if "takes no spans" in each.getMessage()]


def test_spans_arrive_as_protobuf(collector: Collector) -> None:
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter(collector)))
    with provider.get_tracer("t").start_as_current_span("outer"):
        provider.get_tracer("t").start_span("inner").end()
    provider.shutdown()

    inner, outer = (
        request.resource_spans[0].scope_spans[0].spans[0] for request in collector.received
    )
    assert (inner.name, inner.parent_span_id) == ("inner", outer.span_id)


def test_a_refused_batch_is_a_failure(
    collector: Collector, caplog: pytest.LogCaptureFixture
) -> None:
    collector.status = 400
    assert exporter(collector).export([]) is SpanExportResult.FAILURE
    (record,) = complaints(caplog)
    assert "400" in record.getMessage()
    assert "lost" in record.getMessage()


@pytest.mark.parametrize(
    ("environ", "setting", "bound"),
    [
        ({}, 30.0, 10.0),
        ({}, 2.0, 2.0),
        ({"OTEL_EXPORTER_OTLP_TIMEOUT": "20"}, 30.0, 20.0),
        ({"OTEL_EXPORTER_OTLP_TIMEOUT": "20", "OTEL_EXPORTER_OTLP_TRACES_TIMEOUT": "3"}, 30.0, 3.0),
        ({"OTEL_EXPORTER_OTLP_METRICS_TIMEOUT": "3"}, 30.0, 10.0),
    ],
)
def test_of_two_bounds_the_shorter_counts(
    environ: dict[str, str], setting: float, bound: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    assert timeout.seconds("TRACES", setting) == bound


def test_a_collector_that_does_not_answer_is_left_in_time(
    collector: Collector, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "3600")  # the answer would come at last
    collector.go.clear()
    environ = {"OTEL_BSP_EXPORT_TIMEOUT": "50"}
    made = spans.exporter(Settings.from_env(environ, otlp_endpoint=collector.address))
    assert made is not None
    with pytest.raises(AwayError):
        made.export([])


@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_a_collector_that_is_away_is_told_of_once(
    collector: Collector,
    status: int,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "0.1")  # no time to try again
    collector.status = status
    made = exporter(collector)
    for _ in range(2):
        with pytest.raises(AwayError):
            made.export([])
    (record,) = complaints(caplog)
    assert f"{collector.address}/v1/traces takes no spans ({status}" in record.getMessage()
    assert "wait in the queue" in record.getMessage()


def test_a_service_without_a_collector_is_told_of_once(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "0.1")
    made = spans.exporter(Settings(otlp_endpoint="http://127.0.0.1:1"))
    assert made is not None
    for _ in range(2):
        with pytest.raises(AwayError):
            made.export([])
    (record,) = complaints(caplog)
    assert "OTEL_TRACES_EXPORTER=none" in record.getMessage()


def test_the_sdk_still_has_the_client_that_sends_our_bytes(collector: Collector) -> None:
    """Where this fails, spans still arrive, encoded by the SDK: slower."""
    made = exporter(collector)
    assert callable(made._client.export)
    made.shutdown()  # type: ignore[no-untyped-call]
    assert made.export([]) is SpanExportResult.FAILURE


@pytest.mark.parametrize("name", ["http_proxy", "ALL_PROXY"])
def test_a_proxy_is_asked(collector: Collector, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, collector.address)
    made = spans.exporter(Settings(otlp_endpoint="http://collector.invalid:4318"))
    assert made is not None
    assert made.export([]) is SpanExportResult.SUCCESS
    assert len(collector.received) == 1


def test_a_span_that_cannot_be_encoded_is_counted_as_failed(collector: Collector) -> None:
    families = Families(CollectorRegistry(), 100)
    queue = SpanQueue(families, InternalErrors(families), size=10, batch=10, delay=3600)
    queue.open(lambda: exporter(collector))
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(queue)
    provider.get_tracer("t").start_span("good").end()
    provider.get_tracer("t").start_span("odd", start_time=-1).end()
    assert queue.force_flush()
    outcomes = {name: families.spans[(name,)]._value.get() for name in ("exported", "failed")}
    assert outcomes == {"exported": 1, "failed": 1}
    queue.shutdown()
