"""The trace through a task queue, whichever it is: what a producer and a worker call.

    with Sending("receipts", "send_receipt", system="arq") as message:
        await pool.enqueue_job("send_receipt", order_id, trace=message.carrier)

    with Processing("receipts", "send_receipt", trace, system="arq"):
        ...

The carrier is a dictionary of texts, to be sent along with the job: W3C `traceparent` and its
relatives, or whatever `OTEL_PROPAGATORS` names. Spans and names follow the semantic conventions
for messaging: a producer span, and a consumer span that is linked to it and, as there is one job
at a time, a child of it too.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import TracebackType
from typing import Any, Self

from opentelemetry import context as otel
from opentelemetry import propagate, trace
from opentelemetry.context import Context
from opentelemetry.trace import Span, SpanKind

from instrumentation import exceptions
from instrumentation.background import registry
from instrumentation.background.work import CANCELLED, Outcome, Work, guarded

Carrier = dict[str, str]


class Sending:
    """One job on its way into a queue: a producer span, and the context to send along.

    Arguments:
        queue: the queue's name.
        task: what will be done, never with which arguments.
        system: the queue's system, in lower case: `redis`, `celery`, `arq`.
        message_id: the job's own id, for the span alone.

    Attributes:
        carrier: what has to arrive at the worker.
    """

    def __init__(self, queue: str, task: str, *, system: str, message_id: str = "") -> None:
        self.carrier: Carrier = {}
        mine = registry.background()
        self._span: Span = trace.INVALID_SPAN
        context = otel.get_current()
        if mine is not None:
            self._span = mine.telemetry.tracer.start_span(
                f"send {queue}",
                kind=SpanKind.PRODUCER,
                attributes=_attributes("send", queue, task, system, message_id),
            )
            context = trace.set_span_in_context(self._span, context)
        propagate.inject(self.carrier, context)

    def end(self, error: BaseException | None = None) -> None:
        """The job is in the queue, or the queue refused it with `error`."""
        try:
            if error is not None and self._span.is_recording():
                exceptions.fail(self._span, error)
        finally:
            self._span.end()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.end(error)


class Processing:
    """One job in a worker: a consumer span that is current, duration, outcome, active count.

    Arguments:
        queue: the queue's name.
        task: what is done; the metrics' label.
        carrier: what arrived with the job; anything but texts by name is ignored.
        system: as for `Sending`.
        message_id: the job's own id, for the span alone.
        attempt: 1 for the first; further ones are counted as retries of the queue.
    """

    def __init__(
        self,
        queue: str,
        task: str,
        carrier: Any,
        *,
        system: str,
        message_id: str = "",
        attempt: int = 1,
    ) -> None:
        parent = _extract(carrier)
        context = parent
        mine = registry.background()
        self._work: Work | None = None
        if mine is not None:
            attributes = _attributes("process", queue, task, system, message_id)
            self._work = guarded(
                mine,
                lambda: Work(
                    mine,
                    task,
                    f"process {queue}",
                    {**attributes, "background.kind": system, "background.attempt": attempt},
                    kind=SpanKind.CONSUMER,
                    parent=parent,
                    cause=trace.get_current_span(parent).get_span_context(),
                ),
            )
        if self._work is not None:
            context = trace.set_span_in_context(self._work.span, parent)
        self._token = otel.attach(context)
        expect(queue)
        if attempt > 1:
            retried(queue)

    def end(self, outcome: Outcome = "ok", error: BaseException | None = None) -> None:
        """The job is done, or failed with `error`. In the thread or task that began it."""
        otel.detach(self._token)
        if self._work is not None:
            self._work.end(outcome, error, CANCELLED if outcome == "lost" else "")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if error is None:
            self.end()
        elif isinstance(error, Exception):
            self.end("error", error)
        else:
            # A cancellation or an exit: whether the job comes again is the queue's to know.
            self.end("cancelled")


def expect(queue: str) -> None:
    """Show the counters of `queue` before there is anything to count: see `Background.begin`."""
    mine = registry.background()
    if mine is not None:
        mine.retries.child(queue)
        mine.dead_letters.child(queue)


def retried(queue: str) -> None:
    """Count a job of `queue` that was started again."""
    mine = registry.background()
    if mine is not None:
        mine.retries.child(queue).inc()


def dead(queue: str) -> None:
    """Count a job of `queue` that was given up."""
    mine = registry.background()
    if mine is not None:
        mine.dead_letters.child(queue).inc()


def _extract(carrier: Any) -> Context:
    """The sender's context. Jobs may be older than the instrumentation, or made by hand."""
    if not isinstance(carrier, Mapping):
        return Context()
    texts = {name: text for name, text in carrier.items() if isinstance(text, str)}
    return propagate.extract(texts, Context())


def _attributes(
    operation: str, queue: str, task: str, system: str, message_id: str
) -> dict[str, str]:
    described = {
        "messaging.system": system,
        "messaging.operation.name": operation,
        "messaging.operation.type": operation,
        "messaging.destination.name": queue,
        "background.task": task,
    }
    if message_id:
        described["messaging.message.id"] = message_id
    return described
