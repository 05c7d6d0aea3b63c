"""Which environment variable sets what: the one place that knows their names."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial
from importlib.metadata import entry_points
from typing import Any, Final

from instrumentation import check
from instrumentation import environment as env
from instrumentation.check import METRICS_EXPORTERS, SAMPLERS, TRACES_EXPORTERS
from instrumentation.environment import Environ, wrong

Reader = Callable[[str, str], Any]

_EXCLUDED: Final = "OTEL_PYTHON_EXCLUDED_URLS"
_HEADERS: Final = "OTEL_INSTRUMENTATION_HTTP_CAPTURE_HEADERS"
_QUEUE_SIZE: Final = "OTEL_BSP_MAX_QUEUE_SIZE"
_RESOURCE: Final = "OTEL_RESOURCE_ATTRIBUTES"

_seconds: Final = partial(env.number, low=0, high=3600)

_milliseconds: Final = partial(env.milliseconds, high=3600)


def _resource(name: str, value: str) -> tuple[tuple[str, str], ...]:
    found = env.pairs(name, value)
    for key, text in found:
        if key == "service.name" and text and not text.isprintable():
            raise wrong(name, "pairs with a service.name on one line", value)
    return tuple(pair for pair in found if pair[0] != "service.name")


READERS: Final[dict[str, tuple[str, Reader]]] = {
    "service_name": ("OTEL_SERVICE_NAME", check.text),
    "resource_attributes": (_RESOURCE, _resource),
    "disabled": ("OTEL_SDK_DISABLED", env.boolean),
    "traces_exporter": ("OTEL_TRACES_EXPORTER", partial(env.choice, allowed=TRACES_EXPORTERS)),
    "metrics_exporter": ("OTEL_METRICS_EXPORTER", partial(env.choice, allowed=METRICS_EXPORTERS)),
    "sampler": ("OTEL_TRACES_SAMPLER", partial(env.choice, allowed=SAMPLERS)),
    "sampler_ratio": ("OTEL_TRACES_SAMPLER_ARG", partial(env.number, low=0, high=1)),
    "excluded_urls": (_EXCLUDED, env.patterns),
    "public_endpoint": ("INSTRUMENTATION_PUBLIC_ENDPOINT", env.boolean),
    "request_headers": (f"{_HEADERS}_SERVER_REQUEST", env.patterns),
    "response_headers": (f"{_HEADERS}_SERVER_RESPONSE", env.patterns),
    "sanitized_headers": (f"{_HEADERS}_SANITIZE_FIELDS", env.patterns),
    "record_query": ("INSTRUMENTATION_RECORD_QUERY", env.boolean),
    "query_allowed": ("INSTRUMENTATION_QUERY_ALLOWED", env.items),
    "exception_messages": ("INSTRUMENTATION_EXCEPTION_MESSAGES", env.boolean),
    "fastapi_telemetry": ("INSTRUMENTATION_FASTAPI_TELEMETRY", env.boolean),
    "metrics_path": ("INSTRUMENTATION_METRICS_PATH", env.path),
    "span_queue_size": (_QUEUE_SIZE, env.integer),
    "span_batch_size": ("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", env.integer),
    "span_delay_seconds": ("OTEL_BSP_SCHEDULE_DELAY", _milliseconds),
    "span_timeout_seconds": ("OTEL_BSP_EXPORT_TIMEOUT", _milliseconds),
    "metric_interval_seconds": ("OTEL_METRIC_EXPORT_INTERVAL", _milliseconds),
    "metric_timeout_seconds": ("OTEL_METRIC_EXPORT_TIMEOUT", _milliseconds),
    "series_limit": ("INSTRUMENTATION_SERIES_LIMIT", env.integer),
    "shutdown_seconds": ("INSTRUMENTATION_SHUTDOWN_SECONDS", _seconds),
    "blocking_threshold_seconds": (
        "INSTRUMENTATION_BLOCKING_THRESHOLD",
        partial(env.duration, low=0.01, high=60),
    ),
    "blocking_header": ("INSTRUMENTATION_BLOCKING_HEADER", env.boolean),
    "asyncio_debug": ("INSTRUMENTATION_ASYNCIO_DEBUG", env.boolean),
    "log_context": ("INSTRUMENTATION_LOG_CONTEXT", env.boolean),
    "prometheus_host": ("OTEL_EXPORTER_PROMETHEUS_HOST", check.host),
    "prometheus_port": ("OTEL_EXPORTER_PROMETHEUS_PORT", env.port),
    "background_tasks": ("INSTRUMENTATION_BACKGROUND_TASKS", env.boolean),
    "sqlcommenter": ("INSTRUMENTATION_SQLCOMMENTER", env.boolean),
}
"""The variable of each setting, and the reader of its text."""


def _propagators(name: str, value: str) -> tuple[str, ...]:
    known = {point.name for point in entry_points(group="opentelemetry_propagator")} | {"none"}
    for item in env.items(name, value):
        if item not in known:
            raise wrong(name, "a list of " + ", ".join(sorted(known)), item)
    return env.items(name, value)


_OTLP: Final = "OTEL_EXPORTER_OTLP"


def _of_the_exporter(prefix: str) -> dict[str, Reader]:
    return {
        f"{prefix}_ENDPOINT": env.url,
        f"{prefix}_PROTOCOL": partial(env.choice, allowed=("http/protobuf",)),
        f"{prefix}_COMPRESSION": partial(env.choice, allowed=("none", "gzip", "deflate")),
        f"{prefix}_TIMEOUT": partial(env.number, low=0.001, high=3600),
        f"{prefix}_HEADERS": env.headers,
    }


READ_BY_EXPORTERS: Final[dict[str, dict[str, Reader]]] = {
    "TRACES": _of_the_exporter(_OTLP) | _of_the_exporter(f"{_OTLP}_TRACES"),
    "METRICS": _of_the_exporter(_OTLP)
    | _of_the_exporter(f"{_OTLP}_METRICS")
    # What prometheus-client counts only grows.
    | {
        f"{_OTLP}_METRICS_TEMPORALITY_PREFERENCE": partial(env.choice, allowed=("cumulative",)),
    },
}
"""The SDK only logs a wrong value here and goes on with a default; we stop at the start."""

READ_BY_THE_SDK: Final[dict[str, Reader]] = {
    **READ_BY_EXPORTERS["TRACES"],
    **READ_BY_EXPORTERS["METRICS"],
    "OTEL_PROPAGATORS": _propagators,
}


def check_exporter(signal: str, *, endpoint: bool, environ: Environ = os.environ) -> None:
    """Check what an exporter reads by itself, whoever made the settings.

    Arguments:
        signal: TRACES or METRICS.
        endpoint: whether it reads its address there.

    Raises:
        ValueError: a variable holds a wrong value; it is named with the rule.
    """
    for name, reader in READ_BY_EXPORTERS[signal].items():
        if endpoint or not name.endswith("_ENDPOINT"):
            _checked(name, reader, environ)


def _checked(name: str, reader: Reader, environ: Environ) -> None:
    value = environ.get(name, "").strip()
    if value:
        reader(name, value)


def read(environ: Environ) -> dict[str, Any]:
    """The settings that `environ` asks for; an empty variable is an unset one.

    Raises:
        ValueError: a variable holds a wrong value; it is named with the rule.
    """

    def given(name: str) -> str:
        return environ.get(name, "").strip()

    for name, reader in READ_BY_THE_SDK.items():
        _checked(name, reader, environ)
    found = {
        setting: reader(name, given(name))
        for setting, (name, reader) in READERS.items()
        if given(name)
    }
    if _EXCLUDED in environ:  # an empty list asks that nothing be excluded
        found.setdefault("excluded_urls", ())
    resource = dict(env.pairs(_RESOURCE, given(_RESOURCE)))
    if resource.get("service.name"):
        found.setdefault("service_name", resource["service.name"])
    queue, batch = found.get("span_queue_size", 2048), found.get("span_batch_size", 0)
    if batch > queue:
        raise wrong(READERS["span_batch_size"][0], f"at most {_QUEUE_SIZE} ({queue})", batch)
    return found
