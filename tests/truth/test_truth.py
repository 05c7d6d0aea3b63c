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
from tests.truth.service import Labels, Metrics, Service, running, uvicorn
from tests.truth.shapes import mixed
from tests.truth.sink import Sink, sink

REQUESTS = "http_server_request_duration_seconds_count"
SOCKETS, MESSAGES = 40, 5


def ask(service: Service, count: int, seed: int) -> list[Sent]:
    """Send `count` requests and some messages over WebSockets; what the client knows of them."""
    client = Client(service.address, seed)

    async def everything() -> None:
        await asyncio.gather(
            client.send(mixed(count, seed)), converse(service.address, SOCKETS, MESSAGES)
        )

    asyncio.run(everything())
    return client.sent


def check(service: Service, collector: Sink, sent: list[Sent]) -> None:
    """Everything that the service told of these requests is true."""
    assert [one for one in sent if one.status != one.shape.status] == []
    true = requests(sent)
    eventually(
        lambda: service.metrics().total(REQUESTS) == true.total(),
        explain=lambda: f"{service.metrics().total(REQUESTS)} of {true.total()} requests",
    )
    told = service.metrics()
    check_counts(told, true, sent)
    service.stop()
    assert outside(told["http_server_request_duration_seconds_sum"], service.stamps()) == []
    spans = Spans(collector.spans)
    assert list(wrong_spans(sent, spans))[:5] == []
    assert list(wrong_stamps(service.stamps(), spans))[:5] == []


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
    assert told["instrumentation_internal_errors_total"] == {}


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
