"""A trace runs from the request through a real Redis to the worker, and its queues are measured."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import dramatiq
import httpx
import pytest
import redis
from dramatiq.brokers.redis import RedisBroker
from dramatiq.middleware import AsyncIO
from fastapi import FastAPI
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import SpanKind, StatusCode

from instrumentation.background.dramatiq import instrument_broker
from instrumentation.extras import remedy
from tests.instrumentation.background_work import active, outcomes
from tests.instrumentation.conftest import Observed, Serve, wait_until
from tests.instrumentation.redis_server import RedisServer, running_redis


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    with running_redis(tmp_path_factory.mktemp("redis")) as started:
        yield started


def redis_broker(server: RedisServer) -> RedisBroker:
    make: Any = RedisBroker  # its constructor has no types
    made: RedisBroker = make(url=server.url, maintenance_chance=0)
    return made


@pytest.fixture
def broker(server: RedisServer) -> Iterator[RedisBroker]:
    with redis.Redis(port=server.port) as client:
        client.flushall()
    made = redis_broker(server)
    made.add_middleware(AsyncIO())
    instrument_broker(made)
    yield made
    made.close()
    made.client.close()


@contextmanager
def worker(broker: RedisBroker) -> Iterator[None]:
    started = dramatiq.Worker(broker, worker_threads=2, worker_timeout=20)
    started.start()
    try:
        yield
    finally:
        started.stop()


def service(send: Callable[[], Any]) -> FastAPI:
    app = FastAPI()

    @app.get("/")
    def endpoint() -> None:
        send()

    return app


def ids(span: ReadableSpan) -> tuple[int, int]:
    assert span.context is not None
    return span.context.trace_id, span.context.span_id


@pytest.mark.proves("Background work", "context propagation to a task queue, on a real Redis")
@pytest.mark.parametrize("asynchronous", [False, True])
def test_the_trace_runs_from_the_request_to_the_worker(
    observed: Observed, serve: Serve, broker: RedisBroker, asynchronous: bool
) -> None:
    def receipt() -> None:
        with observed.provider.get_tracer("test").start_as_current_span("inside"):
            pass

    async def receipt_later() -> None:
        receipt()

    declare: Any = dramatiq.actor(broker=broker, queue_name="receipts")
    actor = declare(receipt_later if asynchronous else receipt)
    app = service(actor.send)
    observed.instrument(app)
    with worker(broker):
        httpx.get(serve(app))
        wait_until(lambda: observed.spans(SpanKind.CONSUMER) and observed.spans())
    request, sent = observed.span(), observed.span(SpanKind.PRODUCER)
    done = observed.span(SpanKind.CONSUMER)
    inner = observed.spans(SpanKind.INTERNAL)
    (inside,) = (span for span in inner if span.name == "inside")
    assert sent.parent is not None
    assert done.parent is not None
    assert inside.parent is not None
    assert (sent.parent.trace_id, sent.parent.span_id) == ids(request)
    assert (done.parent.trace_id, done.parent.span_id) == ids(sent)
    assert [(link.context.trace_id, link.context.span_id) for link in done.links] == [ids(sent)]
    assert (inside.parent.trace_id, inside.parent.span_id) == ids(done)
    assert (sent.name, done.name) == ("send receipts", "process receipts")
    assert done.attributes is not None
    assert done.attributes["messaging.system"] == "redis"
    assert done.attributes["messaging.operation.type"] == "process"
    assert done.attributes["messaging.destination.name"] == "receipts"
    assert done.attributes["background.task"] == actor.actor_name
    assert outcomes(observed) == {(actor.actor_name, "ok"): 1}
    assert active(observed) == 0


@pytest.mark.proves("Background work", "retries and dead letters")
def test_retries_and_dead_letters_are_counted_each_attempt_in_the_same_trace(
    observed: Observed, serve: Serve, broker: RedisBroker
) -> None:
    @dramatiq.actor(broker=broker, queue_name="receipts", max_retries=2, min_backoff=1)
    def failing() -> None:
        raise ValueError("no printer")

    app = service(failing.send)
    observed.instrument(app)
    with worker(broker):
        httpx.get(serve(app))
        wait_until(lambda: observed.value("task_queue_dead_letters_total", queue="receipts") == 1)
    attempts = observed.spans(SpanKind.CONSUMER)
    sent = observed.span(SpanKind.PRODUCER)
    assert observed.value("task_queue_retries_total", queue="receipts") == 2
    assert outcomes(observed) == {("failing", "error"): 3}
    assert [span.attributes["background.attempt"] for span in attempts if span.attributes] == [
        1,
        2,
        3,
    ]
    for span in attempts:
        assert span.parent is not None
        assert (span.parent.trace_id, span.parent.span_id) == ids(sent)
        assert span.status.status_code is StatusCode.ERROR
        assert [event.name for event in span.events] == ["exception"]


@pytest.mark.proves("Background work", "queue depth and age of the oldest job")
def test_depth_and_age_are_what_redis_says(
    observed: Observed, serve: Serve, broker: RedisBroker
) -> None:
    done = threading.Event()

    @dramatiq.actor(broker=broker, queue_name="receipts")
    def receipt() -> None:
        done.set()

    app = service(receipt.send)
    observed.instrument(app)
    url = serve(app)
    for _ in range(3):
        httpx.get(url)

    def depth() -> float | None:
        return observed.value("task_queue_depth", queue="receipts")

    def age() -> float:
        return observed.value("task_queue_oldest_age_seconds", queue="receipts") or 0.0

    assert depth() == 3
    first = age()
    assert 0 <= first < 60
    wait_until(lambda: age() > first)
    with worker(broker):
        assert done.wait(10)
        wait_until(lambda: len(observed.spans(SpanKind.CONSUMER)) == 3)
    assert (depth(), age()) == (0, 0)


def test_a_delayed_job_keeps_its_trace_and_counts_from_when_it_is_due(
    observed: Observed, serve: Serve, broker: RedisBroker
) -> None:
    @dramatiq.actor(broker=broker, queue_name="receipts")
    def receipt() -> None:
        pass

    app = service(lambda: receipt.send_with_options(delay=30))
    observed.instrument(app)
    httpx.get(serve(app))
    assert observed.value("task_queue_depth", queue="receipts") == 0
    with worker(broker):
        wait_until(lambda: observed.spans(SpanKind.CONSUMER))
    done, sent = observed.span(SpanKind.CONSUMER), observed.span(SpanKind.PRODUCER)
    assert done.parent is not None
    assert done.parent.span_id == ids(sent)[1]
    assert observed.value("task_queue_retries_total", queue="receipts") == 0


def test_a_redis_that_is_away_fails_the_producer_s_span_and_makes_the_depth_unknown(
    observed: Observed, serve: Serve, tmp_path: Path
) -> None:
    with ExitStack() as stack:
        server = stack.enter_context(running_redis(tmp_path))
        broker = redis_broker(server)
        instrument_broker(broker)
        stack.callback(broker.client.close)

        @dramatiq.actor(broker=broker, queue_name="receipts")
        def receipt() -> None:
            pass

        app = service(receipt.send)
        observed.instrument(app)
        url = serve(app)
        httpx.get(url)
        assert observed.value("task_queue_depth", queue="receipts") == 1
        server.stop()
        assert httpx.get(url).status_code == 500
        _, failed = observed.spans(SpanKind.PRODUCER)
        assert failed.status.status_code is StatusCode.ERROR
        assert [event.name for event in failed.events] == ["exception"]
        depth = observed.value("task_queue_depth", queue="receipts")
        assert depth is not None
        assert depth != depth, "neither 0 nor the last value: not known"
        server.start()
        assert observed.value("task_queue_depth", queue="receipts") == 0


def test_a_job_without_a_trace_or_with_a_broken_one_is_done(
    observed: Observed, broker: RedisBroker
) -> None:
    @dramatiq.actor(broker=broker, queue_name="receipts")
    def receipt() -> None:
        pass

    observed.instrument(FastAPI())
    broken: list[Any] = [{"traceparent": "00-no-no-no"}, {"traceparent": 7}, "text", None]
    with worker(broker):
        for trace in broken:
            receipt.send_with_options(trace=trace)
        wait_until(lambda: len(observed.spans(SpanKind.CONSUMER)) == len(broken))
    assert outcomes(observed) == {("receipt", "ok"): len(broken)}
    assert all(not span.links for span in observed.spans(SpanKind.CONSUMER))


def test_nothing_instrumented_means_that_jobs_just_run(broker: RedisBroker) -> None:
    done = threading.Event()

    @dramatiq.actor(broker=broker, queue_name="receipts")
    def receipt() -> None:
        done.set()

    with worker(broker):
        receipt.send()
        assert done.wait(10)


def test_without_dramatiq_the_answer_is_what_to_install() -> None:
    program = (
        "import sys; sys.modules['dramatiq'] = None; import instrumentation.background.dramatiq"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 1
    assert remedy("dramatiq") in done.stderr


def test_what_is_no_broker_is_refused() -> None:
    with pytest.raises(TypeError, match="needs a Dramatiq broker"):
        instrument_broker("redis://localhost")  # type: ignore[arg-type]
