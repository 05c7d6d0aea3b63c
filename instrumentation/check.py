"""Checks of the settings: each complaint names the setting, the rule and the value."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from instrumentation import environment as env
from instrumentation.environment import wrong

if TYPE_CHECKING:
    from instrumentation.settings import Settings

SAMPLERS: Final = (
    "always_on",
    "always_off",
    "traceidratio",
    "parentbased_always_on",
    "parentbased_always_off",
    "parentbased_traceidratio",
)
TRACES_EXPORTERS: Final = ("otlp", "console", "none")
METRICS_EXPORTERS: Final = ("prometheus", "otlp", "none")

_CHOICES: Final = {
    "traces_exporter": TRACES_EXPORTERS,
    "metrics_exporter": METRICS_EXPORTERS,
    "sampler": SAMPLERS,
}
_NUMBERS: Final[dict[str, tuple[float, float]]] = {
    "sampler_ratio": (0, 1),
    "span_delay_seconds": (0.001, 3600),
    "span_timeout_seconds": (0.001, 3600),
    "metric_interval_seconds": (0.001, 3600),
    "metric_timeout_seconds": (0.001, 3600),
    "shutdown_seconds": (0, 3600),
}
_NUMBERS_OR_OFF: Final[dict[str, tuple[float, float]]] = {
    "blocking_threshold_seconds": (0.01, 60),
}
_WHOLE: Final = ("span_queue_size", "span_batch_size", "series_limit")
_SWITCHES: Final = (
    "blocking_header",
    "asyncio_debug",
    "disabled",
    "log_context",
    "background_tasks",
    "public_endpoint",
    "record_query",
    "exception_messages",
    "fastapi_telemetry",
    "sqlcommenter",
)
_PATTERNS: Final = ("excluded_urls", "request_headers", "response_headers", "sanitized_headers")


def settings(given: Settings) -> None:
    """Check every setting.

    Raises:
        ValueError: a setting is wrong.
    """
    for name, allowed in _CHOICES.items():
        if getattr(given, name) not in allowed:
            raise wrong(name, "one of " + ", ".join(allowed), getattr(given, name))
    for name, (low, high) in _NUMBERS.items():
        number(name, getattr(given, name), low=low, high=high)
    for name, (low, high) in _NUMBERS_OR_OFF.items():
        number_or_off(name, getattr(given, name), low=low, high=high)
    for name in _WHOLE:
        whole(name, getattr(given, name))
    for name in _SWITCHES:
        switch(name, getattr(given, name))
    for name in _PATTERNS:
        patterns(name, getattr(given, name))
    names("query_allowed", given.query_allowed)
    resource("resource_attributes", given.resource_attributes)
    _rest(given)


def _rest(given: Settings) -> None:
    if given.span_batch_size > given.span_queue_size:
        raise wrong("span_batch_size", "at most span_queue_size", given.span_batch_size)
    text("service_name", given.service_name)
    env.path("metrics_path", text("metrics_path", given.metrics_path, "a path"))
    host("prometheus_host", given.prometheus_host)
    whole("prometheus_port", given.prometheus_port, low=0)
    env.port("prometheus_port", str(given.prometheus_port))
    if given.otlp_endpoint is not None:
        env.url("otlp_endpoint", str(given.otlp_endpoint))


def number(name: str, value: Any, *, low: float, high: float) -> None:
    """A number from `low` to `high`, both included."""
    known = isinstance(value, int | float) and not isinstance(value, bool)
    if not known or not low <= value <= high:
        raise wrong(name, f"a number from {low:g} to {high:g}", value)


def number_or_off(name: str, value: Any, *, low: float, high: float) -> None:
    """A number from `low` to `high`, or 0."""
    if value != 0 or isinstance(value, bool):
        number(name, value, low=low, high=high)


def whole(name: str, value: Any, *, low: int = 1) -> None:
    """A whole number of at least `low`."""
    if not isinstance(value, int) or isinstance(value, bool) or value < low:
        raise wrong(name, f"a whole number of at least {low}", value)


def text(name: str, value: Any, what: str = "a name on one line") -> str:
    """Text on one line with something in it."""
    if not isinstance(value, str) or not value.strip() or not value.isprintable():
        raise wrong(name, what, value)
    return value


def host(name: str, value: Any) -> str:
    """A host's name or address."""
    rule = "a host's name or address"
    if " " in text(name, value, rule):
        raise wrong(name, rule, value)
    return str(value)


def switch(name: str, value: Any) -> None:
    """True or False; a text like "false" would be true."""
    if not isinstance(value, bool):
        raise wrong(name, "True or False", value)


def names(name: str, value: Any, what: str = "names") -> None:
    """A tuple of texts; of one string, every letter would be a text."""
    if not isinstance(value, tuple | list) or not all(isinstance(item, str) for item in value):
        raise wrong(name, f"a tuple of {what}", value)


def patterns(name: str, value: Any) -> None:
    """A tuple of regular expressions; an empty one would match everything."""
    names(name, value, "regular expressions")
    for pattern in value:
        if not pattern:
            raise wrong(name, "regular expressions that aren't empty", value)
        try:
            re.compile(pattern)
        except re.error as error:
            raise wrong(name, f"regular expressions ({error})", pattern) from None


def resource(name: str, value: Any) -> None:
    """Pairs of an attribute and its value."""
    rule = "a tuple of (name, value) pairs of texts"
    try:
        pairs = dict(value).items()
    except (TypeError, ValueError):
        raise wrong(name, rule, value) from None
    if not all(isinstance(key, str) and key and isinstance(each, str) for key, each in pairs):
        raise wrong(name, rule, value)
