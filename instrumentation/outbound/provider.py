"""A tracer provider that is whichever the running request's telemetry has."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from opentelemetry import trace
from opentelemetry.trace import Span, Tracer, TracerProvider
from opentelemetry.util._decorator import _agnosticcontextmanager  # what Tracer's own is made by

from instrumentation import exceptions
from instrumentation.context import current


class CurrentProvider(TracerProvider):
    """Lets an instrumentation that knows one provider serve several instrumented applications."""

    def get_tracer(self, *args: Any, **kwargs: Any) -> Tracer:
        """A tracer that asks for the provider at each span."""
        return CurrentTracer(args, kwargs)


class CurrentTracer(Tracer):
    """Starts each span with the tracer of the request in context."""

    def __init__(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        self._args = args
        self._kwargs = kwargs
        self._none = trace.NoOpTracer()
        self._latest: tuple[TracerProvider | None, Tracer] = (None, self._none)

    def start_span(self, *args: Any, **kwargs: Any) -> Span:
        """See `Tracer.start_span`."""
        return self._tracer().start_span(*args, **kwargs)

    @_agnosticcontextmanager
    def start_as_current_span(self, *args: Any, **kwargs: Any) -> Iterator[Span]:
        """See `Tracer.start_as_current_span`.

        The SDK would record an exception with its whole text, as the span's status too.
        """
        ours = {**kwargs, "record_exception": False, "set_status_on_exception": False}
        with self._tracer().start_as_current_span(*args, **ours) as span:
            try:
                yield span
            except Exception as error:
                exceptions.fail(span, error)
                raise

    def _tracer(self) -> Tracer:
        telemetry = current()
        if telemetry is None:
            return self._none
        provider, tracer = self._latest
        if provider is not telemetry.tracer_provider:
            # One pair, replaced as a whole: another thread sees the old one or the new one.
            provider = telemetry.tracer_provider
            tracer = provider.get_tracer(*self._args, **self._kwargs)
            self._latest = (provider, tracer)
        return tracer
