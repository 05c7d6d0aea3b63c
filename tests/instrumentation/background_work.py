"""What the tests of background work share."""

from __future__ import annotations

import asyncio

from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import SpanKind

from tests.instrumentation.conftest import Observed


def works(observed: Observed) -> list[ReadableSpan]:
    """The spans of background work; those of a loop that a busy machine blocked are others."""
    inner = observed.spans(SpanKind.INTERNAL)
    return [span for span in inner if span.name.startswith("background ")]


def outcomes(observed: Observed) -> dict[tuple[str, str], float]:
    """How much work ended, by the function's last name and the outcome."""
    return {
        (sample.labels["task"].rpartition(".")[2], sample.labels["outcome"]): sample.value
        for family in observed.registry.collect()
        for sample in family.samples
        if sample.name == "background_task_duration_seconds_count" and sample.value
    }


def active(observed: Observed) -> float:
    return sum(
        sample.value
        for family in observed.registry.collect()
        for sample in family.samples
        if sample.name == "background_tasks_active"
    )


def is_linked(work: ReadableSpan, request: ReadableSpan) -> bool:
    asked, linked = request.get_span_context(), [link.context for link in work.links]
    assert asked is not None
    assert work.context is not None
    return [asked.span_id] == [each.span_id for each in linked] and (
        asked.trace_id == work.context.trace_id
    )


async def send_mail(to: str) -> None:
    await asyncio.sleep(0.02)


async def fail() -> None:
    raise ValueError("the mail server said no")
