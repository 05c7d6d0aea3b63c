"""Where spans go: the tracer provider, its sampler and its exporter."""

from __future__ import annotations

from importlib.metadata import version

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

from instrumentation.errors import InternalErrors
from instrumentation.export import timeout
from instrumentation.export.queue import SpanQueue
from instrumentation.export.resource import resource
from instrumentation.series import Families
from instrumentation.settings import Settings
from instrumentation.tracer import Tracer, lean

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
    _own.queue.open(lambda: exporter(settings))
    return found, _own.queue


def tracer(provider: trace.TracerProvider) -> Tracer:
    """Our tracer of `provider`."""
    original = provider.get_tracer(
        "instrumentation", version("fastapi-observability-bundle"), schema_url=SCHEMA_URL
    )
    return lean(original)
