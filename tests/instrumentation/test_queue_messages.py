"""The helpers for any task queue: what a producer and a worker of another queue call."""

from __future__ import annotations

import asyncio
import math
import threading
from typing import Any

import pytest
from fastapi import FastAPI
from opentelemetry import propagate
from opentelemetry.baggage import get_baggage, set_baggage
from opentelemetry.context import attach, detach
from opentelemetry.trace import SpanKind, StatusCode, get_current_span

from instrumentation.background.backlog import Backlog, Waiting
from instrumentation.background.messages import Processing, Sending, dead, retried
from tests.instrumentation.background_work import active, outcomes
from tests.instrumentation.conftest import Observed, wait_until


@pytest.fixture
def instrumented(observed: Observed) -> Observed:
    observed.instrument(FastAPI())
    return observed


def test_the_carrier_takes_trace_and_baggage_to_the_worker(instrumented: Observed) -> None:
    token = attach(set_baggage("tenant", "acme"))
    try:
        with Sending("mail", "send_mail", system="arq", message_id="7") as job:
            carrier = dict(job.carrier)
    finally:
        detach(token)
    assert set(carrier) == {"traceparent", "baggage"}
    with Processing("mail", "send_mail", carrier, system="arq", message_id="7"):
        assert get_baggage("tenant") == "acme"
        inside = get_current_span().get_span_context()
    sent, done = instrumented.span(SpanKind.PRODUCER), instrumented.span(SpanKind.CONSUMER)
    assert done.get_span_context() == inside
    assert done.parent is not None
    assert sent.context is not None
    assert done.parent.span_id == sent.context.span_id
    assert done.attributes is not None
    assert done.attributes["messaging.message.id"] == "7"
    assert not get_current_span().get_span_context().is_valid


def test_a_queue_that_refuses_a_job_fails_the_producer_s_span(instrumented: Observed) -> None:
    with pytest.raises(OSError, match="full"), Sending("mail", "send_mail", system="arq"):
        raise OSError("full")
    assert instrumented.span(SpanKind.PRODUCER).status.status_code is StatusCode.ERROR


def test_a_job_that_fails_is_an_error_and_its_exception_goes_on(instrumented: Observed) -> None:
    def work() -> None:
        with Processing("mail", "send_mail", {}, system="arq"):
            assert active(instrumented) == 1
            raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        work()
    assert outcomes(instrumented) == {("send_mail", "error"): 1}
    assert active(instrumented) == 0
    (event,) = instrumented.span(SpanKind.CONSUMER).events
    assert event.name == "exception"


def test_a_job_that_is_cancelled_is_no_error(instrumented: Observed) -> None:
    async def job() -> None:
        with Processing("mail", "send_mail", {}, system="arq"):
            await asyncio.Event().wait()

    async def main() -> None:
        task = asyncio.create_task(job())
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait([task])

    asyncio.run(main())
    assert outcomes(instrumented) == {("send_mail", "cancelled"): 1}


def test_two_jobs_at_once_on_one_loop_keep_their_own_spans(instrumented: Observed) -> None:
    async def job(name: str) -> Any:
        with Processing("mail", name, {}, system="arq"):
            await asyncio.sleep(0.01)
            return get_current_span().get_span_context()

    async def main() -> Any:
        return await asyncio.gather(job("a"), job("b"))

    first, second = asyncio.run(main())
    assert first.trace_id != second.trace_id


def test_retries_and_dead_letters_are_counted_for_the_queue(instrumented: Observed) -> None:
    with Processing("mail", "send_mail", {}, system="arq", attempt=2):
        pass
    retried("mail")
    dead("mail")
    assert instrumented.value("task_queue_retries_total", queue="mail") == 2
    assert instrumented.value("task_queue_dead_letters_total", queue="mail") == 1


def test_a_backlog_is_read_at_each_collection_and_not_between(instrumented: Observed) -> None:
    waiting = {"mail": Waiting(3, 1.5)}
    reads: list[None] = []

    def read() -> dict[str, Waiting]:
        reads.append(None)
        return waiting

    backlog = Backlog(read)
    backlog.show()
    backlog.show()
    assert reads == []
    assert instrumented.value("task_queue_depth", queue="mail") == 3
    assert instrumented.value("task_queue_oldest_age_seconds", queue="mail") == 1.5
    assert len(reads) == 2
    waiting["mail"] = Waiting(0, 0.0)
    assert instrumented.value("task_queue_depth", queue="mail") == 0


def test_a_backend_that_hangs_holds_no_collection_up_and_is_asked_once(
    instrumented: Observed,
) -> None:
    answers = threading.Event()
    answers.set()
    reads: list[None] = []

    def read() -> dict[str, Waiting]:
        reads.append(None)
        assert answers.wait(60)
        return {"mail": Waiting(len(reads), 0.0)}

    Backlog(read).show()
    assert instrumented.value("task_queue_depth", queue="mail") == 1
    answers.clear()
    try:
        for _ in range(2):
            depth = instrumented.value("task_queue_depth", queue="mail")
            assert depth is not None
            assert math.isnan(depth)
    finally:
        answers.set()
    assert len(reads) == 2
    wait_until(lambda: instrumented.value("task_queue_depth", queue="mail") == 3)


@pytest.mark.parametrize("wrong", [7, None, ("7", 1.0), Waiting("many", 0.0), Waiting(7, None)])  # type: ignore[arg-type]
def test_a_queue_of_which_nonsense_is_told_is_not_known(
    instrumented: Observed, wrong: Any, caplog: pytest.LogCaptureFixture
) -> None:
    Backlog(lambda: {"mail": wrong, "good": Waiting(3, 1.5)}).show()
    for name in ("task_queue_depth", "task_queue_oldest_age_seconds"):
        assert math.isnan(instrumented.value(name, queue="mail") or 0)
    assert instrumented.value("task_queue_depth", queue="good") == 3
    assert instrumented.value("instrumentation_internal_errors_total", part="queue")
    assert f"what waits in 'mail' must be a Waiting of two numbers, got {wrong!r}" in caplog.text


def test_an_answer_that_names_no_queues_is_an_internal_error(instrumented: Observed) -> None:
    answer: list[Any] = [{"mail": Waiting(3, 1.5)}]
    Backlog(lambda: answer[0]).show()
    assert instrumented.value("task_queue_depth", queue="mail") == 3
    answer[0] = None
    assert math.isnan(instrumented.value("task_queue_depth", queue="mail") or 0)
    assert instrumented.value("instrumentation_internal_errors_total", part="queue")


def test_without_instrumentation_the_context_still_travels() -> None:
    parent = {"traceparent": f"00-{'1' * 32}-{'2' * 16}-01"}
    token = attach(propagate.extract(parent))
    try:
        with Sending("mail", "send_mail", system="arq") as job:
            assert job.carrier == parent
    finally:
        detach(token)
    with Processing("mail", "send_mail", job.carrier, system="arq"):
        assert get_current_span().get_span_context().trace_id == int("1" * 32, 16)
