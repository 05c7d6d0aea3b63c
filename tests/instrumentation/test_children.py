"""Which spans below a request are made, and which nobody would keep."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.sampling import (
    ALWAYS_OFF,
    ALWAYS_ON,
    Decision,
    ParentBased,
    Sampler,
    SamplingResult,
)

from instrumentation.children import Children
from instrumentation.tracer import lean


class Asked(Sampler):
    """Keeps everything, and counts how often it is asked."""

    def __init__(self) -> None:
        self.times = 0

    def should_sample(self, *args: Any, **kwargs: Any) -> SamplingResult:
        self.times += 1
        return SamplingResult(Decision.RECORD_AND_SAMPLE)

    def get_description(self) -> str:
        return "asked"


def below(sampler: Sampler, parents: Sequence[trace.Span]) -> list[trace.Span]:
    """A child of each of `parents`."""
    provider = TracerProvider(sampler=sampler, shutdown_on_exit=False)
    children = Children(lean(provider.get_tracer("test")))
    made = []
    for parent in parents:
        with trace.use_span(parent):
            made.append(children.start("child"))
    return made


@pytest.fixture
def unsampled() -> trace.Span:
    off = TracerProvider(sampler=ALWAYS_OFF, shutdown_on_exit=False)
    return off.get_tracer("test").start_span("parent")


@pytest.mark.parametrize("root", [ALWAYS_ON, ALWAYS_OFF])
def test_the_parent_stands_in_where_its_trace_is_not_sampled(
    unsampled: trace.Span, root: Sampler
) -> None:
    assert below(ParentBased(root), [unsampled]) == [unsampled]


def test_a_span_without_a_parent_is_asked_for(unsampled: trace.Span) -> None:
    (made,) = below(ParentBased(ALWAYS_ON), [trace.INVALID_SPAN])
    assert made.is_recording()


@pytest.mark.parametrize("wrapped", [True, False])
def test_a_sampler_of_the_users_is_always_asked(unsampled: trace.Span, wrapped: bool) -> None:
    asked = Asked()
    sampler = ParentBased(ALWAYS_ON, local_parent_not_sampled=asked) if wrapped else asked
    (made,) = below(sampler, [unsampled])
    assert asked.times == 1
    assert made.is_recording()
