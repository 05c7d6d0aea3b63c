"""The environment speaks OpenTelemetry; a wrong value stops the start, and says why."""

from __future__ import annotations

import pytest
from opentelemetry.util.re import parse_env_headers

from instrumentation import Settings
from instrumentation.variables import READ_BY_THE_SDK, READERS


def test_an_empty_environment_gives_the_defaults() -> None:
    assert Settings.from_env({}) == Settings()


def test_an_empty_value_is_an_unset_one() -> None:
    assert Settings.from_env({"OTEL_SERVICE_NAME": "", "OTEL_TRACES_SAMPLER": " "}) == Settings()


def test_the_environment_is_read() -> None:
    settings = Settings.from_env(
        {
            "OTEL_SERVICE_NAME": "orders",
            "OTEL_RESOURCE_ATTRIBUTES": "service.version=1.2, deployment.environment.name=a%20b",
            "OTEL_TRACES_EXPORTER": "none",
            "OTEL_TRACES_SAMPLER": "parentbased_traceidratio",
            "OTEL_TRACES_SAMPLER_ARG": "0.25",
            "OTEL_PYTHON_EXCLUDED_URLS": "a,b/.*",
            "OTEL_BSP_MAX_QUEUE_SIZE": "100",
            "OTEL_BSP_SCHEDULE_DELAY": "200",
            "OTEL_BSP_EXPORT_TIMEOUT": "1500",
            "INSTRUMENTATION_METRICS_PATH": "/internal/metrics",
            "INSTRUMENTATION_PUBLIC_ENDPOINT": "true",
            "INSTRUMENTATION_RECORD_QUERY": "TRUE",
            "INSTRUMENTATION_QUERY_ALLOWED": "page, limit",
            "INSTRUMENTATION_EXCEPTION_MESSAGES": "false",
            "INSTRUMENTATION_FASTAPI_TELEMETRY": "1",
            "OTEL_INSTRUMENTATION_HTTP_CAPTURE_HEADERS_SERVER_REQUEST": "x-tenant,content-.*",
            "OTEL_INSTRUMENTATION_HTTP_CAPTURE_HEADERS_SERVER_RESPONSE": "etag",
            "OTEL_INSTRUMENTATION_HTTP_CAPTURE_HEADERS_SANITIZE_FIELDS": "x-mine",
        }
    )
    assert settings == Settings(
        service_name="orders",
        resource_attributes=(("deployment.environment.name", "a b"), ("service.version", "1.2")),
        traces_exporter="none",
        sampler="parentbased_traceidratio",
        sampler_ratio=0.25,
        excluded_urls=("a", "b/.*"),
        span_queue_size=100,
        span_batch_size=100,
        span_delay_seconds=0.2,
        span_timeout_seconds=1.5,
        metrics_path="/internal/metrics",
        public_endpoint=True,
        record_query=True,
        query_allowed=("page", "limit"),
        exception_messages=False,
        fastapi_telemetry=True,
        request_headers=("x-tenant", "content-.*"),
        response_headers=("etag",),
        sanitized_headers=("x-mine",),
    )


def test_the_service_name_beats_the_resource_attribute() -> None:
    environ = {"OTEL_RESOURCE_ATTRIBUTES": "service.name=a"}
    assert Settings.from_env(environ).service_name == "a"
    assert Settings.from_env({**environ, "OTEL_SERVICE_NAME": "b"}).service_name == "b"


def test_arguments_beat_the_environment() -> None:
    environ = {"OTEL_SERVICE_NAME": "a"}
    assert Settings.from_env(environ, service_name="b").service_name == "b"


@pytest.mark.parametrize(
    ("name", "value", "rule"),
    [
        ("OTEL_SDK_DISABLED", "yes", "true or false"),
        ("OTEL_TRACES_EXPORTER", "zipkin", "one of console, none, otlp"),
        ("OTEL_METRICS_EXPORTER", "statsd", "one of none, otlp, prometheus"),
        ("OTEL_TRACES_SAMPLER", "sometimes", "one of always_off, always_on"),
        ("OTEL_TRACES_SAMPLER_ARG", "10", "a number from 0 to 1"),
        ("OTEL_TRACES_SAMPLER_ARG", "nan", "a number from 0 to 1"),
        ("OTEL_RESOURCE_ATTRIBUTES", "a", "comma-separated key=value pairs"),
        ("OTEL_PROPAGATORS", "pigeon", "a list of"),
        ("OTEL_PYTHON_EXCLUDED_URLS", "(", "regular expressions"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "localhost:4318", "an http:// or https:// address"),
        ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://", "an http:// or https:// address"),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc", "one of http/protobuf"),
        ("OTEL_EXPORTER_OTLP_TIMEOUT", "soon", "a number from"),
        ("OTEL_EXPORTER_OTLP_COMPRESSION", "zip", "one of deflate, gzip, none"),
        ("OTEL_BSP_MAX_QUEUE_SIZE", "0", "a whole number of at least 1"),
        ("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "4096", "at most OTEL_BSP_MAX_QUEUE_SIZE"),
        ("OTEL_BSP_SCHEDULE_DELAY", "1.5", "a whole number of milliseconds from 1 to 3600000"),
        ("OTEL_BSP_EXPORT_TIMEOUT", "soon", "a whole number of milliseconds from 1 to 3600000"),
        ("OTEL_METRIC_EXPORT_INTERVAL", "0", "a whole number of milliseconds from 1 to 3600000"),
        ("OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE", "delta", "one of cumulative"),
        ("OTEL_METRIC_EXPORT_TIMEOUT", "soon", "a whole number of milliseconds from 1 to 3600000"),
        ("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", "collector:4318", "an http:// or https:// address"),
        ("OTEL_BSP_SCHEDULE_DELAY", "9999999999", "a whole number of milliseconds"),
        ("OTEL_BSP_EXPORT_TIMEOUT", "3600001", "a whole number of milliseconds"),
        ("OTEL_METRIC_EXPORT_INTERVAL", "99999999999", "a whole number of milliseconds"),
        ("OTEL_METRIC_EXPORT_TIMEOUT", "3600001", "a whole number of milliseconds"),
        ("OTEL_SERVICE_NAME", "a\tb", "a name on one line"),
        ("OTEL_RESOURCE_ATTRIBUTES", "service.name=a%0Ab", "pairs with a service.name on one line"),
        ("OTEL_EXPORTER_PROMETHEUS_HOST", "a b", "a host's name or address"),
        ("INSTRUMENTATION_PUBLIC_ENDPOINT", "perhaps", "true or false"),
        (
            "OTEL_INSTRUMENTATION_HTTP_CAPTURE_HEADERS_SERVER_REQUEST",
            "x-(",
            "regular expressions",
        ),
        ("INSTRUMENTATION_METRICS_PATH", "metrics", "a path that starts with /"),
        ("INSTRUMENTATION_METRICS_PATH", "/x y", "a path that starts with /"),
        ("INSTRUMENTATION_SERIES_LIMIT", "-1", "a whole number of at least 1"),
        ("INSTRUMENTATION_SHUTDOWN_SECONDS", "-1", "a number from 0 to 3600"),
    ],
)
def test_a_wrong_value_names_variable_rule_and_value(name: str, value: str, rule: str) -> None:
    with pytest.raises(ValueError, match="must be") as raised:
        Settings.from_env({name: value})
    text = str(raised.value)
    assert text.startswith(f"{name} must be {rule}")
    assert repr(value) in text or text.endswith(value)


@pytest.mark.parametrize(
    "arguments",
    [
        {"traces_exporter": "zipkin"},
        {"sampler": "sometimes"},
        {"sampler_ratio": 1.5},
        {"metrics_path": "metrics"},
        {"record_query": "false"},
        {"query_allowed": "page"},
        {"request_headers": "x-tenant"},
        {"series_limit": 0},
        {"span_batch_size": 5000},
        {"series_limit": "10"},
        {"sampler_ratio": "all"},
        {"metrics_path": None},
        {"metrics_path": "/"},
        {"metrics_path": "/x y"},
        {"metrics_path": "/x?y=1"},
        {"metrics_path": "/{x}"},
        {"metrics_path": "/%20"},
        {"metrics_path": "/a/../b"},
        {"metrics_path": "//metrics"},
        {"metrics_path": "/metrics\n"},
        {"service_name": None},
        {"service_name": " "},
        {"service_name": "a\nb"},
        {"excluded_urls": ("(",)},
        {"excluded_urls": ("",)},
        {"prometheus_host": "local host"},
        {"prometheus_port": "9464"},
        {"prometheus_port": 70_000},
        {"resource_attributes": (("a", None),)},
        {"otlp_endpoint": "http://the collector:4318"},
        {"otlp_endpoint": "localhost:4318"},
        {"resource_attributes": "a=b"},
        {"span_delay_seconds": 0},
        {"span_timeout_seconds": 0},
        {"metric_interval_seconds": 0},
        {"metric_timeout_seconds": "1"},
        {"shutdown_seconds": -1},
    ],
)
def test_a_wrong_argument_names_the_setting(arguments: dict[str, object]) -> None:
    (name,) = arguments
    with pytest.raises(ValueError, match=f"^{name} must be "):
        Settings(**arguments)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "path", ["/metrics", "/metrics/", "/-/metrics", "/internal/v1.0/metrics", "/..metrics"]
)
def test_a_path_of_plain_characters_is_good_for_metrics(path: str) -> None:
    assert Settings.from_env({"INSTRUMENTATION_METRICS_PATH": path}).metrics_path == path


def test_a_secret_in_the_headers_is_not_repeated() -> None:
    environ = {"OTEL_EXPORTER_OTLP_HEADERS": "sesame"}
    with pytest.raises(ValueError, match="key=value") as raised:
        Settings.from_env(environ)
    assert "sesame" not in str(raised.value)


@pytest.mark.parametrize(
    "value",
    [
        "x=se%0Asame",
        "x y=sesame",
        "x%0A=sesame",
        "x=sesamé",
        'x="sesame"',
        "x=%E2%82%AC",
        "ok=1,=sesame",
    ],
)
def test_headers_that_cannot_be_sent_are_wrong_and_not_repeated(value: str) -> None:
    name = "OTEL_EXPORTER_OTLP_TRACES_HEADERS"
    with pytest.raises(ValueError, match=f"^{name} must be comma-separated") as raised:
        Settings.from_env({name: value})
    assert "same" not in str(raised.value)


@pytest.mark.parametrize(
    "value",
    [
        "Authorization=Basic abc==",
        "authorization=Bearer%20a.b-c_d/e+f~",
        "a=1, b = 2:3",
        "x=%C3%BC",
    ],
)
def test_headers_are_taken_as_the_sdk_takes_them(value: str) -> None:
    assert Settings.from_env({"OTEL_EXPORTER_OTLP_HEADERS": value}) == Settings()
    assert len(parse_env_headers(value, liberal=True)) == value.count(",") + 1


@pytest.mark.parametrize(
    "value", ["\x07", "-1", "9" * 15, "a b", "é", "=", "%00", "1e999", "nan", "("]
)
@pytest.mark.parametrize(
    "name", sorted({name for name, _ in READERS.values()} | {*READ_BY_THE_SDK})
)
def test_whatever_a_variable_holds_it_is_taken_or_named(name: str, value: str) -> None:
    try:
        Settings.from_env({name: value})
    except ValueError as error:
        assert str(error).startswith(f"{name} must be ")  # noqa: PT017 - most values are right


def test_one_string_is_no_list_of_patterns() -> None:
    with pytest.raises(ValueError, match="excluded_urls must be a tuple of regular expressions"):
        Settings(excluded_urls="health")  # type: ignore[arg-type]


def test_a_short_queue_has_batches_that_fit_in() -> None:
    assert Settings(span_queue_size=100).span_batch_size == 100
