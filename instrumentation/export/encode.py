"""Finished spans as OTLP: the bytes of an `ExportTraceServiceRequest`.

The SDK builds a protobuf message a span, which costs more CPU than the request's own span does.
Here the bytes are written directly, in one pass: an attribute that was seen before is a lookup,
resource and scope are encoded once. The field numbers are those of opentelemetry-proto 1.x,
`opentelemetry/proto/trace/v1/trace.proto`, whose wire format may not change.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any, Final

from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import Event, ReadableSpan
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import Link, SpanContext, SpanKind, Status, StatusCode

from instrumentation.export.left_out import LeftOut
from instrumentation.export.wire import (
    BYTES,
    FIXED32,
    FIXED64,
    VARINT,
    counted,
    delimited,
    tag,
    varint,
)

_HAS_IS_REMOTE, _IS_REMOTE = 0x100, 0x200
_MOST_KEPT = 4096
_LONGEST_KEPT = 128
_LEAST, _GREATEST = -(2**63), 2**63 - 1

_double = struct.Struct("<d").pack
_times = struct.Struct("<BQBQ").pack


def _text(value: str) -> bytes:
    return value.encode("utf-8", "replace")


def _integer(value: int) -> bytes:
    """As text where OTLP's 64 bits don't hold it: another number would be a lie."""
    if _LEAST <= value <= _GREATEST:
        return tag(3, VARINT) + varint(value)
    return delimited(1, _text(str(value)))


def _sequence(value: Sequence[Any]) -> bytes:
    return delimited(5, b"".join(delimited(1, any_value(item)) for item in value))


def _mapping(value: Mapping[Any, Any]) -> bytes:
    return delimited(6, b"".join(delimited(1, _pair(str(k), v)) for k, v in value.items()))


_ENCODERS: Final[tuple[tuple[type, Callable[[Any], bytes]], ...]] = (
    (str, lambda value: delimited(1, _text(value))),
    (bool, lambda value: tag(2, VARINT) + varint(int(value))),
    (int, _integer),
    (float, lambda value: tag(4, FIXED64) + _double(value)),
    (bytes, lambda value: delimited(7, value)),
    (Sequence, _sequence),
    (Mapping, _mapping),
)


def any_value(value: Any) -> bytes:
    """An `AnyValue`, without what stands before it.

    Raises:
        TypeError: OTLP knows no such value.
    """
    if value is None:
        return b""
    for kind, encode in _ENCODERS:
        if isinstance(value, kind):
            return encode(value)
    raise TypeError(f"an attribute can't be a {type(value).__name__}")


def _pair(key: str, value: Any) -> bytes:
    return delimited(1, _text(key)) + delimited(2, any_value(value))


_attributes_left_out: Final = LeftOut("attribute")


class Attributes:
    """Encodes attributes into one field of a message, and keeps those that come again.

    What is kept is bounded: long values never are, and a full table is emptied.
    """

    def __init__(self, field: int) -> None:
        self._field = field
        self._kept: dict[type, dict[tuple[str, Any], bytes]] = {str: {}, int: {}, bool: {}}

    def __call__(self, attributes: Mapping[str, Any] | None) -> bytes:
        """Every attribute; one that can't be encoded is left out, see `LeftOut`."""
        if not attributes:
            return b""
        kept = self._kept
        found = []
        copy = getattr(attributes, "copy", None)  # the SDK's own mapping locks for each item
        for item in (copy() if copy else dict(attributes)).items():
            try:
                found.append(kept[type(item[1])][item])
            except KeyError:
                found.append(self._new(*item))
        return b"".join(found)

    def _new(self, key: str, value: Any) -> bytes:
        try:
            encoded = delimited(self._field, _pair(key, value))
        except Exception as error:
            _attributes_left_out.note(key, error)
            return b""
        kept = self._kept.get(type(value))
        if kept is not None and len(encoded) <= _LONGEST_KEPT:
            if len(kept) >= _MOST_KEPT:
                kept.clear()
            kept[key, value] = encoded
        return encoded


_of_span, _of_event, _of_link = Attributes(9), Attributes(3), Attributes(4)
_of_resource, _of_scope = Attributes(1), Attributes(3)

_TRACE_ID: Final = tag(1, BYTES) + varint(16)
_SPAN_ID: Final = tag(2, BYTES) + varint(8)
_PARENT_ID: Final = tag(4, BYTES) + varint(8)
_START, _END = 7 << 3 | FIXED64, 8 << 3 | FIXED64
_FLAGS: Final = tag(16, FIXED32)
_LINK_FLAGS: Final = tag(6, FIXED32)
_REMOTE: Final = struct.Struct("<I").pack(_HAS_IS_REMOTE | _IS_REMOTE)
_LOCAL: Final = struct.Struct("<I").pack(_HAS_IS_REMOTE)


@lru_cache(maxsize=1024)
def _name(name: str) -> bytes:
    return delimited(5, _text(str(name)))


class _Kinds(dict[SpanKind, bytes]):
    def __missing__(self, kind: object) -> bytes:
        raise TypeError(f"its kind must be a SpanKind, got {kind!r}")


_KINDS: Final = _Kinds({kind: counted(6, kind.value + 1) for kind in SpanKind})
_UNSET: Final = delimited(15, b"")


def _status(status: Status | None) -> bytes:
    if status is None:
        return b""
    if status.status_code is StatusCode.UNSET:
        return _UNSET
    described = delimited(2, _text(status.description)) if status.description else b""
    return delimited(15, described + counted(3, status.status_code.value))


def _context(context: SpanContext) -> bytes:
    """The ids and the state of a span; a link spells them in the same way."""
    found = (
        _TRACE_ID + context.trace_id.to_bytes(16, "big")
        + _SPAN_ID + context.span_id.to_bytes(8, "big")
    )  # fmt: skip
    if context.trace_state:
        state = ",".join(f"{key}={value}" for key, value in context.trace_state.items())
        found += delimited(3, _text(state))
    return found


def _link(link: Link) -> bytes:
    return delimited(
        13,
        _context(link.context)
        + _of_link(link.attributes)
        + counted(5, link.dropped_attributes)
        + _LINK_FLAGS
        + (_REMOTE if link.context.is_remote else _LOCAL),
    )


def _nanoseconds(moment: float | None) -> int:
    """A point in time, rounded: `time.time() * 1e9` is no whole number."""
    rounded = round(moment or 0)
    if not 0 <= rounded < 2**64:
        raise ValueError(f"a time must be in nanoseconds since 1970, got {moment!r}")
    return rounded


def _event(event: Event) -> bytes:
    return delimited(
        11,
        tag(1, FIXED64) + _nanoseconds(event.timestamp).to_bytes(8, "little")
        + delimited(2, _text(str(event.name)))
        + _of_event(event.attributes)
        + counted(4, event.dropped_attributes),
    )  # fmt: skip


def span(finished: ReadableSpan) -> bytes:
    """One span, as a field of its `ScopeSpans`."""
    context, parent = finished.context, finished.parent
    if context is None:
        return b""
    start, end = finished.start_time, finished.end_time
    try:
        times = _times(_START, start or 0, _END, end or 0)
    except struct.error:
        times = _times(_START, _nanoseconds(start), _END, _nanoseconds(end))
    parts = [_context(context)]
    if parent is not None:
        parts.append(_PARENT_ID + parent.span_id.to_bytes(8, "big"))
    parts += (
        _name(finished.name),
        _KINDS[finished.kind],
        times,
        _of_span(finished.attributes),
        counted(10, finished.dropped_attributes),
    )
    parts += map(_event, finished.events)
    parts.append(counted(12, finished.dropped_events))
    parts += map(_link, finished.links)
    parts += (
        counted(14, finished.dropped_links),
        _status(finished.status),
        _FLAGS,
        _REMOTE if parent is not None and parent.is_remote else _LOCAL,
    )
    return delimited(2, b"".join(parts))


@lru_cache(maxsize=64)
def _resource(resource: Resource) -> bytes:
    return delimited(1, _of_resource(resource.attributes))


@lru_cache(maxsize=256)
def _scope(scope: InstrumentationScope) -> bytes:
    named = delimited(1, _text(str(scope.name))) if scope.name else b""
    version = delimited(2, _text(str(scope.version))) if scope.version else b""
    return delimited(1, named + version + _of_scope(scope.attributes))


spans_left_out: Final = LeftOut("span")


def spans(finished: Iterable[ReadableSpan]) -> bytes:
    """An `ExportTraceServiceRequest` of these spans, grouped by resource and scope.

    A span that can't be encoded is left out, see `LeftOut`: the others are exported. Times are
    rounded, and names are text, whatever was given.
    """
    groups: dict[Resource, dict[Any, list[bytes]]] = {}
    last: tuple[Any, Any] = (None, None)
    into: list[bytes] = []
    for one in finished:
        try:
            encoded = span(one)
        except Exception as error:
            spans_left_out.note(one.name, error)
            continue
        resource, scope = one.resource, one.instrumentation_scope
        if resource is not last[0] or scope is not last[1]:
            into = groups.setdefault(resource, {}).setdefault(scope, [])
            last = (resource, scope)
        into.append(encoded)
    return b"".join(
        delimited(
            1,
            _resource(resource)
            + b"".join(_of_one_scope(scope, each) for scope, each in scopes.items())
            + (delimited(3, _text(resource.schema_url)) if resource.schema_url else b""),
        )
        for resource, scopes in groups.items()
    )


def _of_one_scope(scope: InstrumentationScope | None, encoded: list[bytes]) -> bytes:
    """A `ScopeSpans`, as a field of its `ResourceSpans`."""
    if scope is None:
        return delimited(2, delimited(1, b"") + b"".join(encoded))
    schema = delimited(3, _text(scope.schema_url)) if scope.schema_url else b""
    return delimited(2, _scope(scope) + b"".join(encoded) + schema)
