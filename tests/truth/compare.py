"""What the telemetry has to say, made from the client's record, and where it says otherwise."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from typing import Any
from urllib.parse import unquote

from opentelemetry.proto.trace.v1.trace_pb2 import Span

from tests.truth.client import Sent
from tests.truth.service import Labels, Series
from tests.truth.shapes import LEAF, Shape

SERVER, CLIENT = Span.SPAN_KIND_SERVER, Span.SPAN_KIND_CLIENT
ROUNDING = 1e-6
CLOCK_NANOSECONDS = 1_000_000
"""The wall clock, which spans are stamped with, is corrected now and then."""


def labels(shape: Shape, error: str) -> Labels:
    """The labels of a request's observation; empty ones are left out."""
    told = {
        "http_request_method": shape.known_method,
        "http_route": shape.label,
        "http_response_status_code": str(shape.status),
        "url_scheme": "http",
        "error_type": error,
    }
    return tuple(sorted((name, value) for name, value in told.items() if value))


def requests(sent: Iterable[Sent]) -> Counter[Labels]:
    """How many requests the metrics must tell of, by their labels."""
    found: Counter[Labels] = Counter()
    for one in sent:
        found[labels(one.shape, one.error)] += 1
        found[labels(LEAF, LEAF.error)] += one.shape.calls
    return +found


def outside(sums: Series, stamps: Iterable[dict[str, Any]]) -> list[str]:
    """A sentence for each method and status whose durations sum up to what can't be true."""
    least: defaultdict[tuple[str, str], float] = defaultdict(float)
    most: defaultdict[tuple[str, str], float] = defaultdict(float)
    told: defaultdict[tuple[str, str], float] = defaultdict(float)
    for stamp in stamps:
        key = (stamp["method"], str(stamp["status"]))
        least[key] += stamp["least"]
        most[key] += stamp["most"]
    for series, seconds in sums.items():
        found = dict(series)
        told[found["http_request_method"], found["http_response_status_code"]] += seconds
    return [
        f"{key}: {told[key]} s, not between {least[key]} and {most[key]}"
        for key in least.keys() | told
        if not least[key] - ROUNDING <= told[key] <= most[key] + ROUNDING
    ]


def wrong_stamps(stamps: Iterable[dict[str, Any]], spans: Spans) -> Iterator[str]:
    """A sentence for each span that begins or ends when its request did not."""
    for stamp in stamps:
        for span in spans.of(stamp["agent"]):
            for what, told in (
                ("began", span.start_time_unix_nano),
                ("ended", span.end_time_unix_nano),
            ):
                early = stamp[f"{what}_first"] - CLOCK_NANOSECONDS - told
                late = told - stamp[f"{what}_last"] - CLOCK_NANOSECONDS
                if early > 0 or late > 0:
                    yield f"{stamp['agent']} {stamp['path']} {what} {max(early, late)} ns off"


def attributes(span: Span) -> dict[str, Any]:
    return {
        item.key: getattr(item.value, item.value.WhichOneof("value") or "string_value")
        for item in span.attributes
    }


class Spans:
    """The spans that arrived, found by the request that they are of and by their parent."""

    def __init__(self, spans: Iterable[Span]) -> None:
        self._children: defaultdict[bytes, list[Span]] = defaultdict(list)
        self._by_agent: defaultdict[str, list[Span]] = defaultdict(list)
        self.ids: Counter[bytes] = Counter()
        for span in spans:
            self.ids[span.span_id] += 1
            self._children[span.parent_span_id].append(span)
            if span.kind == SERVER and "url.path" in (told := attributes(span)):
                self._by_agent[str(told.get("user_agent.original"))].append(span)

    def of(self, agent: str) -> list[Span]:
        """The server spans of one request."""
        return self._by_agent[agent]

    def agents(self) -> set[str]:
        """Everybody who sent a request, by the spans."""
        return {agent for agent, spans in self._by_agent.items() if spans}

    def below(self, span: Span, kind: int) -> list[Span]:
        """The children of `span` of one kind."""
        return [child for child in self._children[span.span_id] if child.kind == kind]


def wrong_spans(sent: Iterable[Sent], spans: Spans) -> Iterator[str]:
    """A sentence for each span that is missing, there twice, or not as the client knows it."""
    known = set()
    for request in sent:
        known |= {request.agent, f"{request.agent} leaf"}
        mine = spans.of(request.agent)
        if len(mine) != int(request.sampled):
            yield f"{request.agent} ({request.shape.name}): {len(mine)} spans"
        for span in mine:
            for what, told, true in _facts(request, span, spans):
                if told != true:
                    yield f"{request.agent} ({request.shape.name}): {what} {told!r}, not {true!r}"
    for agent in spans.agents() - known:
        if agent.startswith("truth/"):
            yield f"nobody asked for {agent}"
    for span_id, count in spans.ids.items():
        if count > 1:
            yield f"the span {span_id.hex()} came {count} times"


def _facts(request: Sent, span: Span, spans: Spans) -> Iterator[tuple[str, object, object]]:
    """What is told of one request, and what is true."""
    shape, error, told = request.shape, request.error, attributes(span)
    trace, parent = request.trace or (span.trace_id.hex(), "")
    yield "name", span.name, shape.span_name
    yield "trace", span.trace_id.hex(), trace
    yield "parent", span.parent_span_id.hex(), parent
    yield "status code", told.get("http.response.status_code"), shape.status
    yield "route", told.get("http.route"), shape.route
    yield "error type", told.get("error.type", ""), error
    yield "span status", span.status.code, 2 if error else 0
    yield "exceptions", len(span.events), int(bool(error) and not error.isdecimal())
    yield "path", told["url.path"], unquote(shape.path(request.number).partition("?")[0])
    below = spans.below(span, CLIENT)
    yield (
        "statements",
        sum("db.query.text" in attributes(child) for child in below),
        (shape.statements),
    )
    calls = [child for child in below if "url.full" in attributes(child)]
    yield "calls", len(calls), int(shape.calls)
    for call in calls:
        leaves = spans.of(f"{request.agent} leaf")
        yield "leaves", [leaf.parent_span_id for leaf in leaves], [call.span_id]
        yield "leaf's name", [leaf.name for leaf in leaves], [LEAF.span_name]
