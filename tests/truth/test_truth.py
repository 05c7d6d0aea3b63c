"""Spans and metrics agree with what really happened, request by request."""

from __future__ import annotations

import asyncio
from collections import Counter
from pathlib import Path

import pytest

from drill.ports import free_ports
from tests.stack.running import eventually
from tests.truth.client import Client, Sent, converse
from tests.truth.compare import (
    Spans,
    outside,
    requests,
    wrong_spans,
    wrong_stamps,
)
from tests.truth.service import Labels, Metrics, Service, gunicorn, running, uvicorn
from tests.truth.shapes import mixed
from tests.truth.sink import Sink, sink

DURATION = "http_server_request_duration_seconds"
REQUESTS = f"{DURATION}_count"
SOCKETS, MESSAGES = 40, 5


def ask(service: Service, count: int, seed: int, *, calls: bool = True) -> list[Sent]:
    """Send `count` requests and some messages over WebSockets; what the client knows of them."""
    client = Client(service.address, seed)

    async def everything() -> None:
        await asyncio.gather(
            client.send(mixed(count, seed, calls=calls)),
            converse(service.address, SOCKETS, MESSAGES),
        )

    asyncio.run(everything())
    return client.sent


def check(
    service: Service,
    collector: Sink,
    sent: list[Sent],
    *,
    pushed: bool = False,
    recycled: bool = False,
) -> None:
    """Everything that the service told of these requests is true.

    A worker that leaves may break an answer off; then that has to be told.
    """
    answered = [one for one in sent if one.status]
    assert [one for one in answered if one.status != one.shape.status] == []
    assert [one for one in answered if one.shape.cut and not one.broken] == []
    assert [one for one in answered if one.broken and not one.shape.cut] == [] or recycled
    true = requests(answered)
    told = Metrics() if pushed else scraped(service, true.total())
    service.stop()
    if pushed:
        told = Metrics.pushed(collector.metrics)
    check_counts(told, true, answered)
    assert outside(told[f"{DURATION}_sum"], service.stamps()) == []
    spans = Spans(collector.spans)
    assert list(wrong_spans(answered, spans))[:5] == []
    assert list(wrong_stamps(service.stamps(), spans))[:5] == []


def scraped(service: Service, count: float) -> Metrics:
    """What a scrape says once `count` requests are over."""
    eventually(
        lambda: service.metrics().total(REQUESTS) == count,
        explain=lambda: f"{service.metrics().total(REQUESTS)} of {count} requests",
    )
    return service.metrics()


def check_counts(told: Metrics, true: Counter[Labels], sent: list[Sent]) -> None:
    assert told[REQUESTS] == dict(true)
    gone = Counter(one.shape.label for one in sent if one.shape.leaves)
    assert told.by("http_server_aborted_requests_total", "http_route") == gone
    assert not any(told["http_server_active_requests"].values())
    statements = sum(one.shape.statements for one in sent)
    assert told.total("db_client_operation_duration_seconds_count") == statements
    calls = sum(one.shape.calls for one in sent)
    assert told.total("http_client_request_duration_seconds_count") == calls
    assert told.by("websocket_connection_duration_seconds_count", "close_code") == {"1000": SOCKETS}
    each = SOCKETS * MESSAGES
    assert told.by("websocket_messages_total", "direction") == {"received": each, "sent": each}
    assert told.total("instrumentation_internal_errors_total") == 0


@pytest.mark.proves(
    "What must be shown", "truth test: counts by method, route and status agree exactly"
)
@pytest.mark.proves("What must be shown", "truth test: spans and their parents agree exactly")
@pytest.mark.proves(
    "What must be shown", "truth test: durations agree with a probe in the same process"
)
@pytest.mark.proves("What must be shown", "truth test: 10,000 requests, one worker")
@pytest.mark.parametrize("count", [600, pytest.param(10_000, marks=pytest.mark.slow)])
def test_one_worker_tells_the_truth(tmp_path: Path, count: int) -> None:
    port = int(free_ports(["PORT"])["PORT"])
    with (
        sink() as collector,
        running(uvicorn(port), port, tmp_path, collector.address) as service,
    ):
        check(service, collector, ask(service, count, seed=count))


WAYS = {
    "uvicorn": (uvicorn, ("--workers", "4")),
    "gunicorn": (gunicorn, ("--workers", "4")),
}
# Far enough apart that seldom all workers leave at once, and nobody answers until they are back.
RECYCLED = {
    "uvicorn": ("--limit-max-requests", "500", "--limit-max-requests-jitter", "1500"),
    "gunicorn": ("--max-requests", "500", "--max-requests-jitter", "1500"),
}


def several(folder: Path, server: str, arguments: tuple[str, ...], *, pushed: bool) -> None:
    """10,000 requests to several workers, whose metrics come by push or by their directory."""
    port = int(free_ports(["PORT"])["PORT"])
    make, workers = WAYS[server]
    directory = folder / "directory"
    directory.mkdir()
    way = {"PROMETHEUS_MULTIPROC_DIR": str(directory)}
    if pushed:
        way = {"OTEL_METRICS_EXPORTER": "otlp", "OTEL_METRIC_EXPORT_INTERVAL": "1000"}
    command = make(port, *workers, *arguments)
    with (
        sink() as collector,
        running(command, port, folder, collector.address, **way) as service,
    ):
        sent = ask(service, 10_000, seed=len(server), calls=not arguments)
        check(service, collector, sent, pushed=pushed, recycled=bool(arguments))


@pytest.mark.slow
@pytest.mark.proves("What must be shown", "truth test: 10,000 requests, four workers")
@pytest.mark.parametrize("pushed", [False, True])
@pytest.mark.parametrize("server", WAYS)
def test_four_workers_tell_the_truth(tmp_path: Path, server: str, pushed: bool) -> None:
    several(tmp_path, server, (), pushed=pushed)


@pytest.mark.slow
@pytest.mark.proves("What must be shown", "truth test: 10,000 requests, recycled workers")
@pytest.mark.parametrize("pushed", [False, True])
@pytest.mark.parametrize("server", WAYS)
def test_recycled_workers_tell_the_truth(tmp_path: Path, server: str, pushed: bool) -> None:
    several(tmp_path, server, RECYCLED[server], pushed=pushed)
