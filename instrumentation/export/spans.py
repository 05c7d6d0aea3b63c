"""Where spans go: the tracer provider, its sampler and its exporter."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from importlib.metadata import version
from typing import Final

from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import ConsoleSpanExporter, SpanExporter
from opentelemetry.sdk.trace.sampling import (
    ALWAYS_OFF,
    ALWAYS_ON,
    DEFAULT_OFF,
    DEFAULT_ON,
    ParentBasedTraceIdRatio,
    Sampler,
    TraceIdRatioBased,
)

from instrumentation import variables
from instrumentation.errors import InternalErrors
from instrumentation.export import timeout
from instrumentation.export.queue import SpanQueue
from instrumentation.export.resource import resource
from instrumentation.series import Families
from instrumentation.settings import Settings
from instrumentation.tracer import Tracer, lean

logger = logging.getLogger("instrumentation")

_OF_THE_PROVIDER: Final = (
    "service_name",
    "resource_attributes",
    "sampler",
    "sampler_ratio",
    "span_queue_size",
    "span_batch_size",
    "span_delay_seconds",
)
_OF_THE_EXPORTER: Final = ("traces_exporter", "otlp_endpoint", "span_timeout_seconds")
"""Settings of a queue's exporter, which is made anew after everybody has given the queue back."""

SCHEMA_URL = "https://opentelemetry.io/schemas/1.44.0"


def sampler(settings: Settings) -> Sampler:
    """The sampler that OTEL_TRACES_SAMPLER names."""
    fixed: dict[str, Sampler] = {
        "always_on": ALWAYS_ON,
        "always_off": ALWAYS_OFF,
        "parentbased_always_on": DEFAULT_ON,
        "parentbased_always_off": DEFAULT_OFF,
    }
    if settings.sampler in fixed:
        return fixed[settings.sampler]
    if settings.sampler == "traceidratio":
        return TraceIdRatioBased(settings.sampler_ratio)
    return ParentBasedTraceIdRatio(settings.sampler_ratio)


def exporter(settings: Settings) -> SpanExporter | None:
    """The exporter that OTEL_TRACES_EXPORTER names, or None."""
    if settings.traces_exporter == "none":
        return None
    if settings.traces_exporter == "console":
        return ConsoleSpanExporter(settings.service_name)
    from instrumentation.export.otlp import DirectExporter  # two megabytes of their own

    endpoint = settings.otlp_endpoint
    variables.check_exporter("TRACES", endpoint=endpoint is None)
    return DirectExporter(
        endpoint.rstrip("/") + "/v1/traces" if endpoint else None,
        timeout=timeout.seconds("TRACES", settings.span_timeout_seconds),
    )


class OwnProvider:
    """The tracer provider that we set globally where nobody had set one.

    A global provider can't be replaced, so this one stays: a further instrumented application
    shares it, and one that comes after a shutdown opens its queue again. Sampler, resource and
    counters are those of the first.
    """

    def __init__(self, settings: Settings, families: Families, errors: InternalErrors) -> None:
        self._settings = self._sending = settings
        self.queue = SpanQueue(
            families,
            errors,
            size=settings.span_queue_size,
            batch=settings.span_batch_size,
            delay=settings.span_delay_seconds,
        )
        self.provider = TracerProvider(
            sampler=sampler(settings), resource=resource(settings), shutdown_on_exit=False
        )
        self.provider.add_span_processor(self.queue)
        trace.set_tracer_provider(self.provider)

    def join(self, settings: Settings) -> None:
        """Send for one more application; a log line names its settings that are not in force."""
        other = _different(settings, self._settings, _OF_THE_PROVIDER)
        if self.queue.is_open:
            other += _different(settings, self._sending, _OF_THE_EXPORTER)
        else:
            self._sending = settings
        if other:
            logger.warning(
                "the spans of all applications in this process go one way, and the first one's "
                "settings count: not in force of this one's are %s; instrument(..., "
                "tracer_provider=...) gives it a way of its own",
                ", ".join(other),
            )
        self.queue.open(lambda: exporter(settings))


def _different(one: Settings, other: Settings, names: Iterable[str]) -> list[str]:
    return [name for name in names if getattr(one, name) != getattr(other, name)]


_own: OwnProvider | None = None


def global_provider(
    settings: Settings, families: Families, errors: InternalErrors
) -> tuple[trace.TracerProvider, SpanQueue | None]:
    """The global provider, and our queue if it is ours; made and set where there is none."""
    global _own
    found = trace.get_tracer_provider()
    if _own is None and isinstance(found, trace.ProxyTracerProvider):
        _own = OwnProvider(settings, families, errors)
        found = _own.provider
    if _own is None or found is not _own.provider:
        return found, None
    _own.join(settings)
    return found, _own.queue


def tracer(provider: trace.TracerProvider) -> Tracer:
    """Our tracer of `provider`."""
    original = provider.get_tracer(
        "instrumentation", version("fastapi-observability-bundle"), schema_url=SCHEMA_URL
    )
    return lean(original)
