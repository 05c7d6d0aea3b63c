"""Receipts: asked for by the service, issued by a worker of its own through a real Redis."""

from __future__ import annotations

import contextlib
import itertools
import signal
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from demo_service import app as orders
from tests.demo_service.processes import answers, program, wait_until
from tests.demo_service.running import LOOPBACK, free_port, in_process
from tests.instrumentation.redis_server import running_redis
from tests.truth.sink import Sink, sink

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator
    from pathlib import Path

    from demo_service.settings import Settings
    from tests.instrumentation.redis_server import RedisServer

ORDER = {"user_id": 1, "product_id": 1, "quantity": 1}
PROGRAMS = {
    "payments": "demo_service.payments",
    "orders": "demo_service",
    "receipts": "demo_service.receipts",
}


class Shop:
    """The demo's services as processes, with a Redis between them and a place for their spans."""

    def __init__(self, folder: Path, redis: RedisServer, spans: Sink) -> None:
        self.spans = spans
        self.stack = contextlib.ExitStack()
        self.running: dict[str, subprocess.Popen[bytes]] = {}
        self.folder = folder
        self.environment = {
            "DEMO_PORT": str(free_port()),
            "PAYMENTS_PORT": str(free_port()),
            "RECEIPTS_PORT": str(free_port()),
            "DEMO_STATE_DIR": str(folder / "state"),
            "DEMO_REDIS_URL": redis.url,
            "OTEL_EXPORTER_OTLP_ENDPOINT": spans.address,
            "OTEL_BSP_SCHEDULE_DELAY": "100",
        }

    def url(self, port: str) -> str:
        return f"http://{LOOPBACK}:{self.environment[port]}"

    def start(self, name: str, ready: str) -> None:
        log = self.folder / name
        self.running[name] = self.stack.enter_context(
            program(PROGRAMS[name], log, **self.environment)
        )
        wait_until(lambda: answers(ready), f"{name} is ready")

    def stop(self, name: str) -> int:
        self.running[name].send_signal(signal.SIGTERM)
        return self.running[name].wait(20)

    def order(self) -> int:
        answer = httpx.post(f"{self.url('DEMO_PORT')}/api/v1/orders", json=ORDER, trust_env=False)
        assert answer.status_code == 201, answer.text
        return int(answer.json()["id"])

    def has_receipt(self, order: int) -> bool:
        return answers(f"{self.url('DEMO_PORT')}/api/v1/orders/{order}/receipt")


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shop]:
    monkeypatch.delenv("OTEL_SDK_DISABLED")
    with running_redis(tmp_path) as redis, sink() as spans:
        shop = Shop(tmp_path, redis, spans)
        with shop.stack:
            shop.start("payments", f"{shop.url('PAYMENTS_PORT')}/readyz")
            shop.start("orders", f"{shop.url('DEMO_PORT')}/readyz")
            yield shop


@pytest.mark.proves(
    "Background work", "a trace from the request through the queue to the worker, in the demo"
)
def test_a_trace_runs_from_the_order_through_the_queue_to_its_receipt(shop: Shop) -> None:
    shop.start("receipts", f"{shop.url('RECEIPTS_PORT')}/metrics")
    order = shop.order()
    wait_until(lambda: shop.has_receipt(order), "the receipt")
    assert shop.stop("receipts") == 0
    assert shop.stop("orders") == 0
    named: dict[str, Any] = {span.name: span for span in shop.spans.spans}
    way = (
        "POST /api/v1/orders",
        "background Receipts.ask",
        "send receipts",
        "process receipts",
        "INSERT receipts",
    )
    for before, after in itertools.pairwise(way):
        assert named[after].trace_id == named[before].trace_id
        assert named[after].parent_span_id == named[before].span_id
    for linked, to in (("background Receipts.ask", way[0]), ("process receipts", way[2])):
        assert [link.span_id for link in named[linked].links] == [named[to].span_id]


def test_jobs_wait_for_a_worker_that_comes_later_and_are_seen_to_wait(shop: Shop) -> None:
    placed = [shop.order(), shop.order()]
    metrics = f"{shop.url('DEMO_PORT')}/metrics"

    def waits(jobs: int) -> bool:
        return f'task_queue_depth{{queue="receipts"}} {jobs}.0' in httpx.get(metrics).text

    wait_until(lambda: waits(2), "two jobs in the queue")
    shop.start("receipts", f"{shop.url('RECEIPTS_PORT')}/metrics")
    wait_until(lambda: all(map(shop.has_receipt, placed)), "both receipts")
    assert waits(0)


@pytest.mark.anyio
async def test_without_a_redis_orders_are_placed_and_have_no_receipt(
    settings: Settings,
) -> None:
    async with in_process(orders.create_app(settings)) as client:
        placed = await client.post("/api/v1/orders", json=ORDER)
        assert placed.status_code == 201
        answer = await client.get(f"/api/v1/orders/{placed.json()['id']}/receipt")
    assert answer.status_code == 404
    assert "not yet" in answer.json()["detail"]


@pytest.mark.anyio
async def test_a_redis_that_is_away_is_one_error_and_the_order_is_placed(
    settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    away = settings.model_copy(update={"redis_url": f"redis://{LOOPBACK}:{free_port()}/0"})
    async with in_process(orders.create_app(away)) as client:
        placed = await client.post("/api/v1/orders", json=ORDER)
        assert placed.status_code == 201
        order = await client.get(f"/api/v1/orders/{placed.json()['id']}")
    assert order.json()["status"] == "paid"
    (record,) = (each for each in caplog.records if each.name == "demo_service.receipts")
    assert f"order {placed.json()['id']} gets no receipt" in record.getMessage()


@pytest.mark.parametrize(("url", "said"), [("", "DEMO_REDIS_URL"), ("http://redis", "redis://")])
def test_a_worker_without_a_usable_redis_is_one_sentence(
    tmp_path: Path, url: str, said: str
) -> None:
    variables = {"DEMO_REDIS_URL": url, "DEMO_STATE_DIR": str(tmp_path)}
    with program(PROGRAMS["receipts"], tmp_path / "log", **variables) as process:
        assert process.wait(60) == 1
    (line,) = (tmp_path / "log").read_text().splitlines()
    assert line.startswith("receipts: ")
    assert said in line
