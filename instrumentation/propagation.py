"""The caller's trace, as its headers tell it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from opentelemetry import propagate, trace
from opentelemetry.context import Context
from opentelemetry.propagators.textmap import TextMapPropagator
from opentelemetry.trace import Link
from starlette.types import Scope

_NOBODY: Final = Context()
_W3C: Final = frozenset((b"traceparent", b"tracestate", b"baggage"))


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
        self._read(propagate.get_global_textmap())

    def _read(self, textmap: TextMapPropagator) -> None:
        self._textmap = textmap
        self._fields = frozenset(field.lower().encode("latin-1") for field in textmap.fields)
        self._all = not self._fields <= _W3C

    def extract(self, scope: Scope) -> tuple[Context, Sequence[Link]]:
        """The parent of the server span, and its links; both empty where no header tells of any.

        A public endpoint has links only. Its callers' baggage is dropped: it would travel on to
        whatever the service calls.
        """
        context = self._context(scope)
        if not self._public or context is _NOBODY:
            return context, ()
        caller = trace.get_current_span(context).get_span_context()
        return _NOBODY, (Link(caller),) if caller.is_valid else ()

    def _context(self, scope: Scope) -> Context:
        textmap = propagate.get_global_textmap()
        if textmap is not self._textmap:
            self._read(textmap)
        found: dict[str, str] = {}
        for raw, value in scope.get("headers", ()):
            if self._all or raw in self._fields:
                name, text = raw.decode("latin-1"), value.decode("latin-1")
                # A repeated header means the same as one with commas (RFC 9110, 5.3).
                found[name] = f"{found[name]},{text}" if name in found else text
        if not found:
            return _NOBODY
        try:
            return textmap.extract(found, _NOBODY)
        except Exception:
            # Propagators must not raise, but there are many, and the header is a stranger's.
            return _NOBODY
