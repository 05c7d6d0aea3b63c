"""The bytes of a batch of spans mean what the SDK's own encoder says."""

from __future__ import annotations

import logging
import random
from typing import Any

import pytest
from fastapi import FastAPI
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import Event, ReadableSpan
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import (
    Link,
    SpanContext,
    SpanKind,
    Status,
    StatusCode,
    TraceFlags,
    TraceState,
)

from instrumentation.export import encode
from instrumentation.export.left_out import LeftOut
from tests.instrumentation.conftest import Observed

VALUES: tuple[Any, ...] = (
    "", "text", "日本語 ✓", "x" * 5000, 0, 1, 127, 128, 300, -1, -(2**63), 2**63 - 1, True, False,
    0.0, -1.5, float("inf"), b"", b"\x00\xff", (), ("a", "b"), (1, 2), (True, False), (0.5, -0.5),
    [None, "a"], {"inner": {"deep": [1, "two"]}},
)  # fmt: skip


def same(spans: list[ReadableSpan]) -> bool:
    ours = ExportTraceServiceRequest.FromString(encode.spans(spans))
    return bool(ours == encode_spans(spans))


def span(**changed: Any) -> ReadableSpan:
    given: dict[str, Any] = {
        "name": "GET /orders/{id}",
        "context": context(7, 9),
        "resource": Resource({"service.name": "orders"}),
        "kind": SpanKind.SERVER,
        "start_time": 1_700_000_000_000_000_000,
        "end_time": 1_700_000_000_123_456_789,
        "instrumentation_scope": InstrumentationScope("instrumentation", "1"),
    }
    return ReadableSpan(**(given | changed))


def context(trace_id: int, span_id: int, *, remote: bool = False, **state: str) -> SpanContext:
    return SpanContext(
        trace_id, span_id, remote, TraceFlags(TraceFlags.SAMPLED), TraceState(list(state.items()))
    )


@pytest.mark.parametrize("value", VALUES, ids=lambda value: repr(value)[:20])
def test_an_attribute_of_any_kind_arrives(value: Any) -> None:
    made = span(attributes={"key": value, "again": value})
    assert same([made, made])


def test_values_that_are_equal_but_of_different_kinds_are_told_apart() -> None:
    for value in (1, True, 1.0, "1", b"1", 0, False, 0.0):
        assert same([span(attributes={"key": value})]), value


@pytest.mark.parametrize(
    "changed",
    [
        {"parent": context(7, 8)},
        {"parent": context(7, 8, remote=True)},
        {"context": context(2**128 - 1, 2**64 - 1, vendor="a=b", other="c")},
        {"kind": SpanKind.INTERNAL},
        {"kind": SpanKind.CLIENT},
        {"kind": SpanKind.PRODUCER},
        {"kind": SpanKind.CONSUMER},
        {"status": Status(StatusCode.ERROR, "no money")},
        {"status": Status(StatusCode.ERROR)},
        {"status": Status(StatusCode.OK)},
        {"links": [Link(context(1, 2, remote=True), {"why": "batch"}), Link(context(3, 4))]},
        {"events": [Event("exception", {"exception.type": "ValueError"}, 5), Event("plain")]},
        {"resource": Resource({"service.name": "x", "list": ("a",)}, "https://schema")},
        {"resource": Resource({})},
        {"instrumentation_scope": InstrumentationScope("n", None, "https://s", {"a": 1})},
        {"instrumentation_scope": None},
        {"name": ""},
        {"attributes": {}},
    ],
    ids=lambda changed: ",".join(changed),
)
def test_every_part_of_a_span_arrives(changed: dict[str, Any]) -> None:
    assert same([span(**changed)])


def test_spans_are_grouped_by_resource_and_scope() -> None:
    resources = [Resource({"service.name": name}) for name in "ab"]
    scopes = [InstrumentationScope(name) for name in "cd"]
    made = [
        span(resource=resource, instrumentation_scope=scope, context=context(1, number + 1))
        for number in range(3)
        for resource in resources
        for scope in scopes
    ]
    assert same(made)


def test_a_link_keeps_the_trace_state_that_the_sdk_forgets() -> None:
    made = span(links=[Link(context(1, 2, vendor="x"))])

    request = ExportTraceServiceRequest.FromString(encode.spans([made]))

    assert request.resource_spans[0].scope_spans[0].spans[0].links[0].trace_state == "vendor=x"


def test_no_spans_are_no_bytes() -> None:
    assert encode.spans([]) == b""


@pytest.mark.parametrize("seed", range(5))
def test_random_spans_mean_the_same(seed: int) -> None:
    chance = random.Random(seed)
    made = [
        span(
            context=context(chance.getrandbits(128), chance.getrandbits(64)),
            attributes={f"k{n}": chance.choice(VALUES) for n in range(chance.randrange(12))},
            start_time=chance.getrandbits(63),
            end_time=chance.getrandbits(63),
        )
        for _ in range(100)
    ]
    assert same(made)


@pytest.fixture(autouse=True)
def nothing_was_left_out_before(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(encode, "spans_left_out", LeftOut("span"))
    monkeypatch.setattr(encode, "_attributes_left_out", LeftOut("attribute"))


def decoded(*spans: ReadableSpan) -> list[Any]:
    request = ExportTraceServiceRequest.FromString(encode.spans(spans))
    return [one for of in request.resource_spans for by in of.scope_spans for one in by.spans]


def test_an_attribute_that_otlp_does_not_know_is_left_out(
    caplog: pytest.LogCaptureFixture,
) -> None:
    (found,) = decoded(span(attributes={"bad": object(), "good": 1}))
    assert [attribute.key for attribute in found.attributes] == ["good"]
    assert "the attribute 'bad' can't be exported: TypeError: an attribute can't be a object" in (
        caplog.text
    )


@pytest.mark.parametrize("value", [2**63, 2**64 + 5, -(2**63) - 1, 10**400])
def test_an_integer_that_needs_more_than_64_bits_is_told_as_text(value: int) -> None:
    (found,) = decoded(span(attributes={"n": value, "list": [value]}))
    alone, listed = found.attributes
    assert alone.value.string_value == str(value)
    assert listed.value.array_value.values[0].string_value == str(value)


@pytest.mark.parametrize(
    ("odd", "told"),
    [
        ({"start_time": 1.6, "end_time": 2.5e9}, {"start_time_unix_nano": 2,
                                                  "end_time_unix_nano": 2_500_000_000}),
        ({"events": [Event("e", timestamp=1.7e9)]}, {"name": "GET /orders/{id}"}),  # type: ignore[arg-type]
        ({"events": [Event(None, timestamp=1)]}, {"name": "GET /orders/{id}"}),  # type: ignore[arg-type]
        ({"name": None}, {"name": "None"}),
        ({"name": 5}, {"name": "5"}),
    ],
    ids=lambda given: ",".join(given),
)  # fmt: skip
def test_a_time_is_rounded_and_a_name_is_text(odd: dict[str, Any], told: dict[str, Any]) -> None:
    (found,) = decoded(span(**odd))
    assert {name: getattr(found, name) for name in told} == told


def test_an_event_at_no_whole_nanosecond_is_rounded() -> None:
    odd: Any = 1.7e9 + 0.6
    (found,) = decoded(span(events=[Event("e", timestamp=odd), Event("f", timestamp=3)]))
    assert [event.time_unix_nano for event in found.events] == [1_700_000_001, 3]


@pytest.mark.parametrize(
    ("odd", "reason"),
    [
        ({"end_time": -5}, "a time must be in nanoseconds since 1970, got -5"),
        ({"start_time": 2**64}, "a time must be in nanoseconds since 1970"),
        ({"start_time": float("nan")}, "NaN"),
        ({"end_time": "now"}, "str"),
        ({"events": [Event("e", timestamp=-1)]}, "a time must be in nanoseconds since 1970"),
        ({"kind": "server"}, "its kind must be a SpanKind, got 'server'"),
        ({"name": []}, "unhashable"),
        ({"links": [Link(context(2**128, 1))]}, "too big"),
    ],
    ids=lambda given: given[:40] if isinstance(given, str) else ",".join(given),
)
def test_a_span_that_cannot_be_encoded_is_left_out_alone(
    odd: dict[str, Any], reason: str, caplog: pytest.LogCaptureFixture
) -> None:
    made = [span(name="before"), span(**{"name": "odd", **odd}), span(name="behind")]
    assert [one.name for one in decoded(*made)] == ["before", "behind"]
    assert f"the span {odd.get('name', 'odd')!r} can't be exported" in caplog.text
    assert reason in caplog.text


def test_what_is_left_out_is_counted_and_logged_once_a_minute(
    observed: Observed, caplog: pytest.LogCaptureFixture
) -> None:
    observed.instrument(FastAPI())
    left_out = LeftOut("span", iter((0.0, 59.0, 60.0)).__next__)
    with caplog.at_level(logging.ERROR):
        for _ in range(3):
            left_out.note("odd", ValueError("why"))
    assert caplog.messages == ["the span 'odd' can't be exported: ValueError: why"] * 2
    assert observed.value("instrumentation_internal_errors_total", part="encode") == 3
    assert left_out.count == 3


def test_what_is_kept_of_attributes_is_bounded() -> None:
    kept = encode.Attributes(9)
    for number in range(10_000):
        kept({"url.path": f"/{number}", "long": "x" * 1000})
    assert sum(len(known) for known in kept._kept.values()) <= 4096
