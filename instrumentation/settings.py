"""What a user can set; `from_env` reads it in the environment, which speaks OpenTelemetry."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any, Final

from instrumentation import check, variables
from instrumentation.environment import Environ

_BATCH: Final = 512

ANY_HOST: Final = "://[^/]*"
HEALTH_CHECKS: Final = ANY_HOST + r"/(healthz?|health[-_]?check|readyz?|livez?|health/\w+)/?$"


@dataclass(frozen=True, kw_only=True, slots=True)
class Settings:
    """The configuration of one instrumented application.

    `Settings()` holds the defaults and reads nothing; `Settings.from_env()` reads the
    environment. Every wrong value is a ValueError that names the setting, the rule and the
    value.

    Attributes:
        service_name: the service, and Prometheus's `job` (OTEL_SERVICE_NAME).
        resource_attributes: further attributes of every span, and the labels of `target_info`
            (OTEL_RESOURCE_ATTRIBUTES).
        disabled: True makes `instrument()` do nothing (OTEL_SDK_DISABLED).
        traces_exporter: otlp, console or none (OTEL_TRACES_EXPORTER).
        metrics_exporter: prometheus answers `/metrics`, otlp sends them, none does neither
            (OTEL_METRICS_EXPORTER).
        metric_interval_seconds: between two times that metrics are sent
            (OTEL_METRIC_EXPORT_INTERVAL, there in milliseconds).
        metric_timeout_seconds: longest time that sending them may take
            (OTEL_METRIC_EXPORT_TIMEOUT, there in milliseconds).
        sampler: one of OpenTelemetry's sampler names (OTEL_TRACES_SAMPLER).
        sampler_ratio: share of the traces to keep, 0 to 1, for the ratio samplers
            (OTEL_TRACES_SAMPLER_ARG).
        otlp_endpoint: base address of the collector, to which `/v1/traces` and `/v1/metrics` are
            added. None leaves the exporters to read OTEL_EXPORTER_OTLP_ENDPOINT and its relatives.
        excluded_urls: regular expressions; a request whose URL (without its query) contains a
            match is neither traced nor measured (OTEL_PYTHON_EXCLUDED_URLS). The default leaves
            the usual health checks out.
        public_endpoint: True where callers are not trusted: their trace becomes a link of a new
            one, which is sampled on its own, and their baggage goes no further
            (INSTRUMENTATION_PUBLIC_ENDPOINT).
        request_headers: names of request headers, or regular expressions for whole names, that
            server spans carry (OTEL_INSTRUMENTATION_HTTP_CAPTURE_HEADERS_SERVER_REQUEST). The
            value of a header that holds a secret, such as `cookie`, is never recorded.
        response_headers: the same for the response
            (OTEL_INSTRUMENTATION_HTTP_CAPTURE_HEADERS_SERVER_RESPONSE).
        sanitized_headers: further headers whose values are never recorded
            (OTEL_INSTRUMENTATION_HTTP_CAPTURE_HEADERS_SANITIZE_FIELDS).
        record_query: True records query strings of requests and of outbound calls, with
            `REDACTED` in place of every value (INSTRUMENTATION_RECORD_QUERY).
        query_allowed: parameters whose values are recorded as they are
            (INSTRUMENTATION_QUERY_ALLOWED).
        exception_messages: False leaves the text of exceptions out of spans; their types and
            stacks stay (INSTRUMENTATION_EXCEPTION_MESSAGES).
        fastapi_telemetry: True keeps FastAPI's own telemetry: its spans of dependencies,
            endpoint and serialization below our server span, its logs and metrics as FastAPI is
            told (INSTRUMENTATION_FASTAPI_TELEMETRY).
        metrics_path: where `/metrics` is answered (INSTRUMENTATION_METRICS_PATH).
        span_queue_size: most finished spans that wait for export; further ones are dropped and
            counted (OTEL_BSP_MAX_QUEUE_SIZE).
        span_batch_size: most spans in one export (OTEL_BSP_MAX_EXPORT_BATCH_SIZE); by default 512,
            or as many as the queue holds.
        span_delay_seconds: longest wait of a finished span for its batch
            (OTEL_BSP_SCHEDULE_DELAY, there in milliseconds).
        span_timeout_seconds: longest time that sending a batch may take
            (OTEL_BSP_EXPORT_TIMEOUT, there in milliseconds).
        series_limit: most label combinations a metric family keeps; further ones are counted
            under `_overflow` (INSTRUMENTATION_SERIES_LIMIT).
        shutdown_seconds: longest wait for the last spans and metrics when the service stops
            (INSTRUMENTATION_SHUTDOWN_SECONDS).
        blocking_threshold_seconds: how long code may hold the event loop before that is reported;
            0 switches the watchdog off (INSTRUMENTATION_BLOCKING_THRESHOLD, a duration such as
            50ms or 0.05s; a bare number is in milliseconds).
        blocking_header: whether responses say in `X-Blocking-Time` and `Server-Timing` for how
            many milliseconds their request held the event loop (INSTRUMENTATION_BLOCKING_HEADER).
        asyncio_debug: whether the event loops run in asyncio's debug mode, in which a callback is
            slow from `blocking_threshold_seconds` on; for development
            (INSTRUMENTATION_ASYNCIO_DEBUG).
        log_context: whether log records carry `trace_id`, `span_id`, `trace_flags` and
            `service_name` (INSTRUMENTATION_LOG_CONTEXT).
        background_tasks: whether `BackgroundTasks` and tasks that a request creates are observed
            (INSTRUMENTATION_BACKGROUND_TASKS).
        sqlcommenter: whether each sampled statement ends in a comment with its `traceparent`,
            which the database's own log then shows (INSTRUMENTATION_SQLCOMMENTER).
        prometheus_host: where a worker, which serves no requests, answers `/metrics`
            (OTEL_EXPORTER_PROMETHEUS_HOST).
        prometheus_port: the port of it; 0 takes a free one (OTEL_EXPORTER_PROMETHEUS_PORT).
    """

    service_name: str = "unknown_service"
    resource_attributes: tuple[tuple[str, str], ...] = ()
    disabled: bool = False
    traces_exporter: str = "otlp"
    metrics_exporter: str = "prometheus"
    sampler: str = "parentbased_always_on"
    sampler_ratio: float = 1.0
    otlp_endpoint: str | None = None
    excluded_urls: tuple[str, ...] = (HEALTH_CHECKS,)
    public_endpoint: bool = False
    request_headers: tuple[str, ...] = ()
    response_headers: tuple[str, ...] = ()
    sanitized_headers: tuple[str, ...] = ()
    record_query: bool = False
    query_allowed: tuple[str, ...] = ()
    exception_messages: bool = True
    fastapi_telemetry: bool = False
    metrics_path: str = "/metrics"
    span_queue_size: int = 2048
    span_batch_size: int = _BATCH
    span_delay_seconds: float = 5.0
    span_timeout_seconds: float = 30.0
    metric_interval_seconds: float = 60.0
    metric_timeout_seconds: float = 30.0
    series_limit: int = 1000
    shutdown_seconds: float = 5.0
    blocking_threshold_seconds: float = 0.05
    blocking_header: bool = False
    asyncio_debug: bool = False
    log_context: bool = True
    background_tasks: bool = True
    sqlcommenter: bool = False
    prometheus_host: str = "localhost"
    prometheus_port: int = 9464

    def __post_init__(self) -> None:
        """Check every argument: nothing else does before the first request."""
        queue = self.span_queue_size
        if self.span_batch_size == _BATCH and isinstance(queue, int) and 0 < queue < _BATCH:
            object.__setattr__(self, "span_batch_size", queue)
        check.settings(self)

    @classmethod
    def from_env(cls, environ: Environ = os.environ, **arguments: Any) -> Settings:
        """The settings that the environment asks for, with `arguments` on top.

        Raises:
            ValueError: a variable holds a wrong value; it is named with the rule.
        """
        return cls(**{**variables.read(environ), **arguments})
