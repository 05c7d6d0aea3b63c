"""What a user can set. Arguments beat the environment, and the environment speaks OpenTelemetry."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from importlib.metadata import entry_points
from typing import Any, Final

from instrumentation import check
from instrumentation import environment as env
from instrumentation.environment import Environ, wrong

SAMPLERS: Final = (
    "always_on",
    "always_off",
    "traceidratio",
    "parentbased_always_on",
    "parentbased_always_off",
    "parentbased_traceidratio",
)
TRACES_EXPORTERS: Final = ("otlp", "console", "none")
METRICS_EXPORTERS: Final = ("prometheus", "none")
_PROTOCOL: Final = "http/protobuf"


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
        metrics_exporter: prometheus or none (OTEL_METRICS_EXPORTER).
        sampler: one of OpenTelemetry's sampler names (OTEL_TRACES_SAMPLER).
        sampler_ratio: share of the traces to keep, 0 to 1, for the ratio samplers
            (OTEL_TRACES_SAMPLER_ARG).
        otlp_endpoint: base address of the collector, to which `/v1/traces` is added. None leaves
            the exporter to read OTEL_EXPORTER_OTLP_ENDPOINT and its relatives.
        excluded_urls: regular expressions; a request whose URL (without its query) contains a
            match is neither traced nor measured (OTEL_PYTHON_EXCLUDED_URLS). The default leaves
            the usual health checks out.
        metrics_path: where `/metrics` is answered (INSTRUMENTATION_METRICS_PATH).
        span_queue_size: most finished spans that wait for export; further ones are dropped and
            counted (OTEL_BSP_MAX_QUEUE_SIZE).
        span_batch_size: most spans in one export (OTEL_BSP_MAX_EXPORT_BATCH_SIZE).
        span_delay_seconds: longest wait of a finished span for its batch
            (OTEL_BSP_SCHEDULE_DELAY, there in milliseconds).
        series_limit: most label combinations a metric family keeps; further ones are counted
            under `_overflow` (INSTRUMENTATION_SERIES_LIMIT).
        shutdown_seconds: longest wait for the last spans when the service stops
            (INSTRUMENTATION_SHUTDOWN_SECONDS).
    """

    service_name: str = "unknown_service"
    resource_attributes: tuple[tuple[str, str], ...] = ()
    disabled: bool = False
    traces_exporter: str = "otlp"
    metrics_exporter: str = "prometheus"
    sampler: str = "parentbased_always_on"
    sampler_ratio: float = 1.0
    otlp_endpoint: str | None = None
    excluded_urls: tuple[str, ...] = (r"://[^/]*/(healthz?|readyz?|livez?|health/\w+)/?$",)
    metrics_path: str = "/metrics"
    span_queue_size: int = 2048
    span_batch_size: int = 512
    span_delay_seconds: float = 5.0
    series_limit: int = 1000
    shutdown_seconds: float = 5.0

    def __post_init__(self) -> None:
        """Check every argument: nothing else does before the first request."""
        one_of = {
            "traces_exporter": TRACES_EXPORTERS,
            "metrics_exporter": METRICS_EXPORTERS,
            "sampler": SAMPLERS,
        }
        for name, allowed in one_of.items():
            if getattr(self, name) not in allowed:
                raise wrong(name, "one of " + ", ".join(allowed), getattr(self, name))
        if not isinstance(self.service_name, str) or not self.service_name:
            raise wrong("service_name", "a name", self.service_name)
        if not isinstance(self.metrics_path, str) or not self.metrics_path.startswith("/"):
            raise wrong("metrics_path", "a path that starts with /", self.metrics_path)
        self._check_numbers()
        check.resource("resource_attributes", self.resource_attributes)
        check.patterns("excluded_urls", self.excluded_urls)
        if self.otlp_endpoint is not None:
            env.url({"otlp_endpoint": str(self.otlp_endpoint)}, "otlp_endpoint")

    def _check_numbers(self) -> None:
        check.number("sampler_ratio", self.sampler_ratio, low=0, high=1)
        check.number("span_delay_seconds", self.span_delay_seconds, low=0.001, high=3600)
        check.number("shutdown_seconds", self.shutdown_seconds, low=0, high=3600)
        for name in ("span_queue_size", "span_batch_size", "series_limit"):
            check.whole(name, getattr(self, name))
        if self.span_batch_size > self.span_queue_size:
            raise wrong("span_batch_size", "at most span_queue_size", self.span_batch_size)

    @classmethod
    def from_env(cls, environ: Environ = os.environ, **arguments: Any) -> Settings:
        """The settings that the environment asks for, with `arguments` on top.

        Raises:
            ValueError: a variable holds a wrong value; it is named with the rule.
        """
        _check_what_the_sdk_reads(environ)
        default = cls()
        resource = dict(env.pairs(environ, "OTEL_RESOURCE_ATTRIBUTES"))
        name = resource.pop("service.name", default.service_name)
        excluded = env.patterns(environ, "OTEL_PYTHON_EXCLUDED_URLS")
        found = cls(
            service_name=env.text(environ, "OTEL_SERVICE_NAME", name),
            resource_attributes=tuple(sorted(resource.items())),
            disabled=env.boolean(environ, "OTEL_SDK_DISABLED", False),
            traces_exporter=env.choice(environ, "OTEL_TRACES_EXPORTER", "otlp", TRACES_EXPORTERS),
            metrics_exporter=env.choice(
                environ, "OTEL_METRICS_EXPORTER", "prometheus", METRICS_EXPORTERS
            ),
            sampler=env.choice(environ, "OTEL_TRACES_SAMPLER", default.sampler, SAMPLERS),
            sampler_ratio=env.number(environ, "OTEL_TRACES_SAMPLER_ARG", 1.0, low=0, high=1),
            excluded_urls=default.excluded_urls if excluded is None else excluded,
            metrics_path=_path(environ, "INSTRUMENTATION_METRICS_PATH", default.metrics_path),
            span_queue_size=env.integer(environ, "OTEL_BSP_MAX_QUEUE_SIZE", 2048),
            span_batch_size=_batch_size(environ),
            span_delay_seconds=env.integer(environ, "OTEL_BSP_SCHEDULE_DELAY", 5000) / 1000,
            series_limit=env.integer(environ, "INSTRUMENTATION_SERIES_LIMIT", 1000),
            shutdown_seconds=env.number(
                environ, "INSTRUMENTATION_SHUTDOWN_SECONDS", 5.0, low=0, high=3600
            ),
        )
        return replace(found, **arguments)


def _path(environ: Environ, name: str, default: str) -> str:
    value = env.text(environ, name, default)
    if not value.startswith("/"):
        raise wrong(name, "a path that starts with /", value)
    return value


def _batch_size(environ: Environ) -> int:
    name = "OTEL_BSP_MAX_EXPORT_BATCH_SIZE"
    queue_size = env.integer(environ, "OTEL_BSP_MAX_QUEUE_SIZE", 2048)
    size = env.integer(environ, name, min(512, queue_size))
    if size > queue_size:
        raise wrong(name, f"at most OTEL_BSP_MAX_QUEUE_SIZE ({queue_size})", size)
    return size


def _check_what_the_sdk_reads(environ: Environ) -> None:
    """The SDK only logs a wrong value and goes on with a default; we stop at the start."""
    for name in ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"):
        env.url(environ, name)
    for signal in ("", "TRACES_"):
        prefix = f"OTEL_EXPORTER_OTLP_{signal}"
        env.choice(environ, f"{prefix}PROTOCOL", _PROTOCOL, (_PROTOCOL,))
        env.choice(environ, f"{prefix}COMPRESSION", "none", ("none", "gzip", "deflate"))
        env.number(environ, f"{prefix}TIMEOUT", 10, low=0.001, high=3600)
        env.pairs(environ, f"{prefix}HEADERS", secret=True)
    env.integer(environ, "OTEL_BSP_EXPORT_TIMEOUT", 30000)
    known = {point.name for point in entry_points(group="opentelemetry_propagator")} | {"none"}
    for item in env.text(environ, "OTEL_PROPAGATORS", "tracecontext,baggage").split(","):
        if item.strip() not in known:
            rule = "a list of " + ", ".join(sorted(known))
            raise wrong("OTEL_PROPAGATORS", rule, item.strip())
