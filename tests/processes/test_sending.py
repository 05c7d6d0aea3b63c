"""Several processes that send their spans and metrics themselves."""

from __future__ import annotations

import itertools
import socket
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from opentelemetry.proto.metrics.v1.metrics_pb2 import ResourceMetrics

from tests.processes.server import REQUESTS, gunicorn, running, uvicorn
from tests.stack.running import eventually
from tests.truth.sink import Sink, sink

DURATION = "http.server.request.duration"

each_server = pytest.mark.parametrize(
    "command",
    [
        pytest.param(make(workers), id=f"{make.__name__}-{workers}")
        for make, workers in itertools.product((uvicorn, gunicorn), (1, 4))
    ],
)


@pytest.fixture
def collector() -> Iterator[Sink]:
    with sink() as made:
        yield made


def sending(address: str, **more: str) -> dict[str, str]:
    return {
        "OTEL_EXPORTER_OTLP_ENDPOINT": address,
        "OTEL_TRACES_EXPORTER": "otlp",
        "OTEL_METRICS_EXPORTER": "otlp",
        "INSTRUMENTATION_SHUTDOWN_SECONDS": "30",
        **more,
    }


def instance(pushed: ResourceMetrics) -> str:
    found = {each.key: each.value.string_value for each in pushed.resource.attributes}
    return str(found["service.instance.id"])


def requests(pushed: ResourceMetrics) -> int:
    return sum(
        point.count
        for metric in pushed.scope_metrics[0].metrics
        if metric.name == DURATION
        for point in metric.histogram.data_points
    )


def by_instance(collector: Sink) -> dict[str, list[int]]:
    """The numbers of requests that each process told, one after another."""
    told: dict[str, list[int]] = defaultdict(list)
    for pushed in list(collector.metrics):
        told[instance(pushed)].append(requests(pushed))
    return told


def spans_of(collector: Sink, traces: list[str]) -> set[int]:
    """How often the traces were sent: {1} is each of them once."""
    sent = Counter(span.trace_id.hex() for span in collector.spans)
    return {sent[trace] for trace in traces}


@pytest.mark.slow
@pytest.mark.proves("Processes", "SIGTERM under load loses no span of a finished request")
@pytest.mark.proves("Processes", "shutdown flushes within a bound")
@each_server
def test_a_service_that_stops_under_load_loses_nothing_of_finished_requests(
    command: list[str], tmp_path: Path, collector: Sink
) -> None:
    # Nothing but the end sends anything: not the time, not a full batch.
    never = {
        "OTEL_BSP_SCHEDULE_DELAY": "3600000",
        "OTEL_METRIC_EXPORT_INTERVAL": "3600000",
        "OTEL_BSP_MAX_EXPORT_BATCH_SIZE": "60000",
        "OTEL_BSP_MAX_QUEUE_SIZE": "60000",
    }
    with running(command, tmp_path, sending(collector.address, **never)) as server:

        def ask_until_refused() -> None:
            while server.ask("/slow?seconds=0.01") is not None:
                pass

        with ThreadPoolExecutor(8) as threads:
            for _ in range(8):
                threads.submit(ask_until_refused)
            eventually(lambda: len(server.answers) > 100, explain=server.log.read_text)
            begin = time.monotonic()
            server.stop()
        assert time.monotonic() - begin < 60  # far from what a server would wait for a client
    assert spans_of(collector, server.traces) == {1}
    assert server.agrees(sum(counts[-1] for counts in by_instance(collector).values()))


@pytest.mark.slow
@pytest.mark.proves(
    "Processes", "max_requests recycling: counters never go back, nothing lost or counted twice"
)
@pytest.mark.proves("Processes", "a fresh service.instance.id after each fork")
@pytest.mark.parametrize(
    "command",
    [
        pytest.param(uvicorn(2, "--limit-max-requests", "25"), id="uvicorn"),
        pytest.param(gunicorn(2, "--max-requests", "25"), id="gunicorn"),
        pytest.param(gunicorn(2, "--max-requests", "25", "--preload"), id="gunicorn-preload"),
    ],
)
def test_recycled_workers_send_everything_once(
    command: list[str], tmp_path: Path, collector: Sink
) -> None:
    often = {"OTEL_METRIC_EXPORT_INTERVAL": "100", "OTEL_BSP_SCHEDULE_DELAY": "100"}
    with running(command, tmp_path, sending(collector.address, **often)) as server:
        server.recycle(5)
        server.stop()
    told = by_instance(collector)
    assert len(told) >= 5
    assert [counts for counts in told.values() if counts != sorted(counts)] == []
    assert server.agrees(sum(counts[-1] for counts in told.values()))
    assert spans_of(collector, server.traces) == {1}


@pytest.mark.proves("Processes", "forking after import loses no exporter thread")
def test_workers_that_are_forked_after_the_import_send_their_own(
    tmp_path: Path, collector: Sink
) -> None:
    often = {"OTEL_METRIC_EXPORT_INTERVAL": "100", "OTEL_BSP_SCHEDULE_DELAY": "100"}
    with running(gunicorn(2, "--preload"), tmp_path, sending(collector.address, **often)) as server:
        server.pids(2)

        def all_sent() -> bool:
            return len(collector.spans) >= len(server.answers) and (
                sum(counts[-1] for counts in by_instance(collector).values()) == len(server.answers)
            )

        # Their threads run: nothing waits for the end.
        eventually(all_sent, explain=server.log.read_text)
        assert len(by_instance(collector)) == 2
    assert len({span.span_id for span in collector.spans}) == len(collector.spans)


def test_workers_that_are_forked_after_the_import_share_the_directory(tmp_path: Path) -> None:
    folder = tmp_path / "metrics"
    folder.mkdir()
    directory = {"PROMETHEUS_MULTIPROC_DIR": str(folder)}
    with running(gunicorn(2, "--preload"), tmp_path, directory) as server:
        server.pids(2)
        assert server.total("imported_total") == 1
        assert server.total(REQUESTS) == len(server.answers)


@pytest.mark.slow
@pytest.mark.proves("Processes", "shutdown flushes within a bound")
@pytest.mark.parametrize("command", [uvicorn(1), gunicorn(1)], ids=["uvicorn", "gunicorn"])
def test_a_collector_that_never_answers_does_not_keep_a_service_from_stopping(
    command: list[str], tmp_path: Path
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        address = f"http://127.0.0.1:{deaf.getsockname()[1]}"
        bound = {"INSTRUMENTATION_SHUTDOWN_SECONDS": "1"}
        with running(command, tmp_path, sending(address, **bound)) as server:
            server.answered()
            server.stop()  # within the time that the harness gives it
