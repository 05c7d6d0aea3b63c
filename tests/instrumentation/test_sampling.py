"""Which requests have a span, and which are not observed at all."""

from __future__ import annotations

import re

import pytest
from fastapi import FastAPI
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from starlette.testclient import TestClient

from instrumentation import Settings
from instrumentation.export import spans
from instrumentation.http import excluded
from instrumentation.settings import HEALTH_CHECKS
from tests.instrumentation.conftest import Observed

TRACE, SPAN = "ab" * 16, "cd" * 8


@pytest.fixture
def app() -> FastAPI:
    app = FastAPI()
    app.get("/ok/{number}")(lambda number: number)
    return app


@pytest.mark.proves("Requests: spans", "sampling by the standard variables")
@pytest.mark.parametrize(
    ("sampler", "argument", "roots", "of_sampled", "of_unsampled"),
    [
        ("always_on", "", True, True, True),
        ("always_off", "", False, False, False),
        ("traceidratio", "1", True, True, True),
        ("traceidratio", "0", False, False, False),
        ("parentbased_always_on", "", True, True, False),
        ("parentbased_always_off", "", False, True, False),
        ("parentbased_traceidratio", "1", True, True, False),
        ("parentbased_traceidratio", "0", False, True, False),
        ("", "", True, True, False),
    ],
)
def test_the_standard_variables_choose_what_is_sampled(
    app: FastAPI,
    observed: Observed,
    sampler: str,
    argument: str,
    roots: bool,
    of_sampled: bool,
    of_unsampled: bool,
) -> None:
    environ = {"OTEL_TRACES_SAMPLER": sampler, "OTEL_TRACES_SAMPLER_ARG": argument}
    settings = Settings.from_env(environ)
    observed.provider = TracerProvider(sampler=spans.sampler(settings), shutdown_on_exit=False)
    observed.provider.add_span_processor(SimpleSpanProcessor(observed.exporter))
    observed.instrument_with(app, settings)
    client = TestClient(app)
    for flags, expected in ((None, roots), ("01", of_sampled), ("00", of_unsampled)):
        observed.exporter.clear()
        caller = {"traceparent": f"00-{TRACE}-{SPAN}-{flags}"} if flags else {}
        client.get("/ok/1", headers=caller)
        assert bool(observed.spans()) is expected, flags
    # Whatever is sampled, everything is measured.
    assert observed.counts() == {("GET", "/ok/{number}", "200", ""): 3}


@pytest.mark.proves("Requests: spans", "sampling by the standard variables")
def test_a_ratio_is_a_ratio_of_traces(app: FastAPI, observed: Observed) -> None:
    environ = {"OTEL_TRACES_SAMPLER": "traceidratio", "OTEL_TRACES_SAMPLER_ARG": "0.25"}
    settings = Settings.from_env(environ)
    observed.provider = TracerProvider(sampler=spans.sampler(settings), shutdown_on_exit=False)
    observed.provider.add_span_processor(SimpleSpanProcessor(observed.exporter))
    observed.instrument_with(app, settings)
    client = TestClient(app)
    for number in range(8):  # evenly over the range of the ids that the ratio looks at
        low = f"{number * 2**61:016x}"
        client.get("/ok/1", headers={"traceparent": f"00-{'ab' * 8}{low}-{SPAN}-00"})
    assert len(observed.spans()) == 2


@pytest.mark.proves("Requests: spans", "health checks and /metrics are excluded by default")
@pytest.mark.parametrize(
    "path",
    ["/healthz", "/readyz", "/livez", "/health", "/ready", "/live", "/health/live",
     "/healthcheck", "/health-check", "/healthz/", "/metrics"],
)  # fmt: skip
def test_health_checks_and_metrics_are_left_out(
    app: FastAPI, observed: Observed, path: str
) -> None:
    app.get(path)(lambda: "ok")
    observed.instrument(app)
    assert TestClient(app).get(path).status_code == 200
    assert observed.counts() == {}
    assert observed.spans() == []


@pytest.mark.parametrize("path", ["/health-insurance", "/healthzz", "/live/stream", "/x?/healthz"])
def test_what_only_looks_like_a_health_check_is_observed(observed: Observed, path: str) -> None:
    app = FastAPI()
    observed.instrument(app)
    TestClient(app).get(path)
    assert len(observed.spans()) == 1


@pytest.mark.proves("Requests: spans", "OTEL_PYTHON_EXCLUDED_URLS")
def test_excluded_urls_are_regular_expressions(app: FastAPI, observed: Observed) -> None:
    environ = {"OTEL_PYTHON_EXCLUDED_URLS": "ok/[0-4]$, admin"}
    observed.instrument_with(app, Settings.from_env(environ))
    client = TestClient(app)
    client.get("/ok/3")
    client.get("/admin/users")
    client.get("/ok/5?next=/ok/3")
    assert [(span.attributes or {})["url.path"] for span in observed.spans()] == ["/ok/5"]
    assert observed.counts() == {("GET", "/ok/{number}", "200", ""): 1}


@pytest.mark.proves("Requests: spans", "OTEL_PYTHON_EXCLUDED_URLS")
def test_an_empty_list_excludes_nothing(observed: Observed) -> None:
    app = FastAPI()
    app.get("/healthz")(lambda: "ok")
    observed.instrument_with(app, Settings.from_env({"OTEL_PYTHON_EXCLUDED_URLS": ""}))
    TestClient(app).get("/healthz")
    assert observed.counts() == {("GET", "/healthz", "200", ""): 1}


@pytest.mark.parametrize("end", ["", "/", "/db", "/db/", "x", "/a/b", "?"])
@pytest.mark.parametrize(
    "name",
    ["health", "healthz", "healthcheck", "health-check", "health_check", "ready", "readyz", "live",
     "livez", "liver", "a/health", "x", ""],
)  # fmt: skip
def test_a_shortcut_excludes_what_the_expression_does(name: str, end: str) -> None:
    is_excluded = excluded.by(Settings().excluded_urls)
    assert is_excluded is not None
    scope = {"scheme": "http", "headers": [(b"host", b"x:80")], "path": f"/{name}{end}"}
    by_url = re.search(HEALTH_CHECKS, f"http://x:80{scope['path']}")
    assert bool(is_excluded(scope)) == bool(by_url)
