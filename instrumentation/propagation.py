"""The caller's trace, as its headers tell it."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from operator import itemgetter
from typing import Final

from opentelemetry import propagate, trace
from opentelemetry.context import Context
from opentelemetry.propagators.textmap import TextMapPropagator
from opentelemetry.trace import Link
from starlette.types import Scope

from instrumentation.attached import NOBODY
from instrumentation.seldom import Seldom

_NAME: Final = itemgetter(0)
_HELD: Final = "_HTTP_TEXT_FORMAT"

_current_textmap: Final[Callable[[], TextMapPropagator]] = (
    partial(itemgetter(_HELD), vars(propagate))
    if _HELD in vars(propagate)
    else propagate.get_global_textmap
)
"""`get_global_textmap`, which only looks at a private name, without its call."""

_W3C: Final = frozenset((b"traceparent", b"tracestate", b"baggage"))

_LOGGERS: Final = tuple(
    map(
        logging.getLogger,
        (
            "opentelemetry.baggage.propagation",
            "opentelemetry.trace.propagation.tracecontext",
            "opentelemetry.trace.span",
        ),
    )
)
"""Where OpenTelemetry complains of a malformed header: each time, and with what it holds."""


class Propagation:
    """Reads the context that the global propagators (`OTEL_PROPAGATORS`) understand.

    Most requests have none of the W3C's headers; those are spared its propagators. Other
    propagators see every header: their `fields` are what they write, and some read more (`b3`
    the headers of `b3multi`).

    Arguments:
        public: callers are not trusted: their trace is linked to and not continued.
    """

    def __init__(self, *, public: bool = False) -> None:
        self._public = public
        self._complaints = Complaints()
        self._read(propagate.get_global_textmap())

    def close(self) -> None:
        """Leave OpenTelemetry's loggers as they were."""
        self._complaints.close()

    def _read(self, textmap: TextMapPropagator) -> None:
        self._textmap = textmap
        self._fields = frozenset(field.lower().encode("latin-1") for field in textmap.fields)
        self._all = not self._fields <= _W3C

    def extract(self, scope: Scope) -> tuple[Context, Sequence[Link]]:
        """The parent of the server span, and its links; both empty where no header tells of any.

        A public endpoint has links only. Its callers' baggage is dropped: it would travel on to
        whatever the service calls.
        """
        textmap = _current_textmap()
        if textmap is not self._textmap:
            self._read(textmap)
        headers = scope.get("headers", ())
        if not self._all and self._fields.isdisjoint(map(_NAME, headers)):
            return NOBODY, ()
        context = self._context(self._found(headers))
        if not self._public:
            return context, ()
        caller = trace.get_current_span(context).get_span_context()
        return NOBODY, (Link(caller),) if caller.is_valid else ()

    def _found(self, headers: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
        found: dict[str, str] = {}
        for raw, value in headers:
            if self._all or raw in self._fields:
                name, text = raw.decode("latin-1"), value.decode("latin-1")
                # A repeated header means the same as one with commas (RFC 9110, 5.3).
                found[name] = f"{found[name]},{text}" if name in found else text
        return found

    def _context(self, found: dict[str, str]) -> Context:
        self._complaints.reading.now = True
        try:
            return self._textmap.extract(found, NOBODY)
        except Exception:
            # Propagators must not raise, but there are many, and the header is a stranger's.
            return NOBODY
        finally:
            self._complaints.reading.now = False


class Reading(threading.local):
    """Whether this thread reads a stranger's header."""

    now = False


class Complaints(logging.Filter):
    """Lets OpenTelemetry complain of our callers' headers once a minute.

    Whoever can send a request could fill the log and hide what is in it. What the application
    itself does with baggage is logged as always.

    Attributes:
        reading: whose `now` says that this thread reads a stranger's header.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self.reading = Reading()
        self._seldom = Seldom(clock)
        for logger in _LOGGERS:
            logger.addFilter(self)

    def close(self) -> None:
        """Leave the loggers as they were."""
        for logger in _LOGGERS:
            logger.removeFilter(self)

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether `record` is logged."""
        return not self.reading.now or self._seldom.is_news()
