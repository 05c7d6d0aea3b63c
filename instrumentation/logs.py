"""Log records that say which trace they belong to.

`logging.Logger.makeRecord` is wrapped, and not the record factory set: what a factory has set,
`logger.info(..., extra={"trace_id": ...})` may not set again, and raises a KeyError in the middle
of a request. Here a record's own value stays, and a factory of the user's is left alone.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, MutableMapping
from typing import Any, Final

from opentelemetry import trace
from opentelemetry.trace import Span, SpanContext

from instrumentation.context import active, current
from instrumentation.patches import Patch
from instrumentation.telemetry import Telemetry

Make = Callable[..., logging.LogRecord]

_SPAN: Final = "_instrumentation_span"

_installed: set[Telemetry] = set()


def trace_context() -> dict[str, str]:
    """The fields of a log record, of whatever logging library, in the context of this call.

    `trace_id`, `span_id` and `trace_flags` in hexadecimal, named as OpenTelemetry names them in
    logs that aren't OTLP, all empty outside of a span; `service_name`, empty where nothing is
    instrumented.
    """
    return _fields(trace.get_current_span().get_span_context())


def add_trace_context(
    logger: Any, method_name: str, event_dict: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    """A structlog processor: put the fields of `trace_context` into each event that has none."""
    for name, value in trace_context().items():
        event_dict.setdefault(name, value)
    return event_dict


def install(telemetry: Telemetry) -> None:
    """Put the fields into every record of the standard library's loggers.

    Loggers are the process's, so the wrapper is set once for all applications. Where telemetry is
    disabled the fields are there, too, and empty: a format that names them is made for every day,
    and switching off may not break it.
    """
    if not telemetry.settings.log_context:
        return
    if not _installed:
        _PATCH.apply()
    _installed.add(telemetry)
    telemetry.on_uninstrument(lambda: _uninstall(telemetry))


def blame(error: BaseException, span: Span) -> None:
    """Remember whose error this is: the server logs it when the request's context is gone."""
    try:
        error.__dict__[_SPAN] = span.get_span_context()
    except AttributeError:  # an exception class of another language may have no dictionary
        return


def _uninstall(telemetry: Telemetry) -> None:
    _installed.discard(telemetry)
    if not _installed:
        _PATCH.undo()


def _around(make: Make) -> Make:
    def make_record(logger: logging.Logger, *args: Any, **kwargs: Any) -> logging.LogRecord:
        record = make(logger, *args, **kwargs)
        if _installed:
            _complete(record)
        return record

    return make_record


_PATCH: Final = Patch(logging.Logger, "makeRecord", _around)


def _complete(record: logging.LogRecord) -> None:
    context = trace.get_current_span().get_span_context()
    if not context.is_valid and record.exc_info and record.exc_info[1] is not None:
        context = getattr(record.exc_info[1], _SPAN, context)
    for name, value in _fields(context).items():
        record.__dict__.setdefault(name, value)


def _fields(context: SpanContext) -> dict[str, str]:
    telemetry = current() or (active[0] if active else None)
    known = context.is_valid
    return {
        "trace_id": trace.format_trace_id(context.trace_id) if known else "",
        "span_id": trace.format_span_id(context.span_id) if known else "",
        "trace_flags": f"{context.trace_flags:02x}" if known else "",
        "service_name": "" if telemetry is None else telemetry.settings.service_name,
    }
