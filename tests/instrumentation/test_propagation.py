"""The caller's trace goes on, in whichever format the propagators speak."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import textwrap
from collections.abc import Iterator

import httpx
import pytest
from fastapi import FastAPI, Request
from opentelemetry import baggage, propagate, trace
from opentelemetry.propagators.b3 import B3MultiFormat
from opentelemetry.trace import SpanKind
from starlette.testclient import TestClient

from instrumentation import Settings
from instrumentation.propagation import Complaints
from tests.instrumentation.conftest import Observed, Serve

TRACE, SPAN = "ab" * 16, "cd" * 8


@pytest.fixture
def app() -> FastAPI:
    app = FastAPI()

    @app.get("/")
    def endpoint() -> str:
        return str(baggage.get_baggage("tenant"))

    return app


@pytest.fixture
def b3() -> Iterator[None]:
    before = propagate.get_global_textmap()
    propagate.set_global_textmap(B3MultiFormat())
    yield
    propagate.set_global_textmap(before)


def parent(observed: Observed) -> tuple[str, str | None]:
    span = observed.span()
    above = span.parent and trace.format_span_id(span.parent.span_id)
    return trace.format_trace_id(span.context.trace_id), above


def complaints(caplog: pytest.LogCaptureFixture) -> list[logging.LogRecord]:
    """What OpenTelemetry has logged: on a busy machine, we log that it is busy."""
    return [record for record in caplog.records if record.name.startswith("opentelemetry.")]


def parent_of_each(observed: Observed) -> set[tuple[str, str]]:
    above = [span.parent for span in observed.spans() if span.parent is not None]
    return {(f"{one.trace_id:032x}", f"{one.span_id:016x}") for one in above}


@pytest.mark.proves("Requests: spans", "traceparent, tracestate and baggage in and out")
def test_w3c(app: FastAPI, observed: Observed) -> None:
    observed.instrument(app)
    headers = {"traceparent": f"00-{TRACE}-{SPAN}-01", "tracestate": "vendor=state"}
    TestClient(app).get("/", headers=headers)
    assert parent(observed) == (TRACE, SPAN)
    assert observed.span().context.trace_state.get("vendor") == "state"


@pytest.mark.proves("Requests: spans", "traceparent, tracestate and baggage in and out")
@pytest.mark.parametrize("public", [False, True])
def test_what_came_in_goes_out(observed: Observed, serve: Serve, public: bool) -> None:
    inner, outer = FastAPI(), FastAPI()

    @inner.get("/")
    def echo(request: Request) -> dict[str, str]:
        return dict(request.headers)

    elsewhere = serve(inner)
    outer.get("/")(lambda: httpx.get(elsewhere).json())
    observed.instrument(outer, public_endpoint=public)
    headers = {
        "traceparent": f"00-{TRACE}-{SPAN}-01",
        "tracestate": "vendor=state",
        "baggage": "tenant=acme",
    }
    out = TestClient(outer).get("/", headers=headers).json()
    client = observed.span(SpanKind.CLIENT)
    assert client.parent == observed.span().context
    trace_id, span_id = client.context.trace_id, client.context.span_id
    assert out["traceparent"].startswith(f"00-{trace_id:032x}-{span_id:016x}-")
    assert (f"{trace_id:032x}" == TRACE) is not public
    assert out.get("tracestate") == (None if public else "vendor=state")
    assert out.get("baggage") == (None if public else "tenant=acme")


def test_baggage_reaches_the_endpoint(app: FastAPI, observed: Observed) -> None:
    observed.instrument(app)
    headers = [("baggage", "a=1"), ("baggage", "tenant=acme")]
    assert TestClient(app).get("/", headers=headers).json() == "acme"


@pytest.mark.usefixtures("b3")
def test_b3(app: FastAPI, observed: Observed) -> None:
    observed.instrument(app)
    headers = {"x-b3-traceid": TRACE, "x-b3-spanid": SPAN, "x-b3-sampled": "1"}
    TestClient(app).get("/", headers=headers)
    assert parent(observed) == (TRACE, SPAN)


@pytest.mark.proves("Requests: spans", "B3 through OTEL_PROPAGATORS")
@pytest.mark.parametrize(
    ("propagators", "headers"),
    [
        ("tracecontext,b3", {"b3": f"{TRACE}-{SPAN}-1"}),
        ("b3multi", {"x-b3-traceid": TRACE, "x-b3-spanid": SPAN, "x-b3-sampled": "1"}),
    ],
)
def test_the_variable_chooses_the_format(propagators: str, headers: dict[str, str]) -> None:
    """In a process of its own: OpenTelemetry reads it once."""
    code = f"""
        from fastapi import FastAPI
        from opentelemetry import trace
        from starlette.testclient import TestClient
        from instrumentation import Settings, instrument
        app = FastAPI()
        app.get("/")(lambda: trace.format_trace_id(
            trace.get_current_span().get_span_context().trace_id))
        instrument(app, Settings.from_env(traces_exporter="none"))
        print(TestClient(app).get("/", headers={headers}).json())
    """
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", textwrap.dedent(code)],
        env={**os.environ, "OTEL_PROPAGATORS": propagators},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.strip() == TRACE, done.stderr


@pytest.mark.proves(
    "Requests: spans", "links rather than parents where INSTRUMENTATION_PUBLIC_ENDPOINT is set"
)
def test_a_public_endpoint_links_to_its_callers(app: FastAPI, observed: Observed) -> None:
    environ = {"INSTRUMENTATION_PUBLIC_ENDPOINT": "true"}
    observed.instrument_with(app, Settings.from_env(environ))
    client = TestClient(app)
    headers = {"traceparent": f"00-{TRACE}-{SPAN}-00", "baggage": "tenant=acme"}
    assert client.get("/", headers=headers).json() == "None"
    span = observed.span()
    assert span.parent is None
    (link,) = span.links
    assert trace.format_trace_id(link.context.trace_id) == TRACE
    assert trace.format_trace_id(span.context.trace_id) != TRACE
    assert span.context.trace_flags.sampled  # the caller's decision isn't trusted either


def test_a_public_endpoint_without_a_caller_has_no_link(app: FastAPI, observed: Observed) -> None:
    observed.instrument(app, public_endpoint=True)
    TestClient(app).get("/", headers={"traceparent": "00-0-0-00", "baggage": "tenant=acme"})
    assert list(observed.span().links) == []


def test_a_propagator_that_raises_breaks_nothing(
    app: FastAPI, observed: Observed, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*args: object) -> None:
        raise ValueError("a header that I didn't expect")

    observed.instrument(app)
    monkeypatch.setattr(propagate.get_global_textmap(), "extract", fail)
    assert TestClient(app).get("/", headers={"traceparent": "x"}).status_code == 200
    assert observed.span().parent is None


@pytest.mark.proves("Requests: spans", "malformed headers never break a request")
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("baggage", "tenant"),
        ("baggage", "tenant=a b, two words=c"),
        ("baggage", "n\xe4me=1"),
        ("baggage", "a" * 9000),
        ("baggage", "a=" + "b" * 5000),
        ("baggage", ",".join(f"a{number}=1" for number in range(200))),
        ("tracestate", "=,;"),
        ("tracestate", "a=" + "b" * 600),
    ],
)
def test_a_malformed_header_is_logged_once_and_not_each_time(
    app: FastAPI, observed: Observed, caplog: pytest.LogCaptureFixture, name: str, value: str
) -> None:
    observed.instrument(app)
    client = TestClient(app)
    caller = f"00-{TRACE}-{SPAN}-01"
    headers = [(b"traceparent", caller.encode()), (name.encode(), value.encode("latin-1"))]
    for _ in range(3):
        assert client.get("/", headers=headers).status_code == 200
    assert len(complaints(caplog)) == 1
    assert parent_of_each(observed) == {(TRACE, SPAN)}


def test_the_log_of_malformed_headers_goes_on_after_a_minute(
    caplog: pytest.LogCaptureFixture,
) -> None:
    now = [1000.0]
    limited = Complaints(lambda: now[0])
    logger = logging.getLogger("opentelemetry.baggage.propagation")
    try:
        limited.reading.now = True
        for seconds in (0.0, 30.0, 29.0, 2.0):
            now[0] += seconds
            logger.warning("at %s", now[0])
    finally:
        limited.close()
    assert [record.args for record in complaints(caplog)] == [(1000.0,), (1061.0,)]


def test_what_the_application_does_with_its_baggage_is_logged_as_always(
    observed: Observed, caplog: pytest.LogCaptureFixture
) -> None:
    app = FastAPI()

    @app.get("/")
    def endpoint() -> None:
        for _ in range(3):
            propagate.extract({"baggage": "tenant"})

    telemetry = observed.instrument(app)
    TestClient(app).get("/")
    assert len(complaints(caplog)) == 3
    telemetry.uninstrument()
    assert logging.getLogger("opentelemetry.baggage.propagation").filters == []


def test_a_trace_around_the_server_is_no_parent(app: FastAPI, observed: Observed) -> None:
    observed.instrument(app)
    with observed.provider.get_tracer("test").start_as_current_span("around"):
        TestClient(app).get("/")
    assert observed.span().parent is None


@pytest.mark.usefixtures("b3")
def test_headers_that_a_propagator_reads_but_never_writes(app: FastAPI, observed: Observed) -> None:
    observed.instrument(app)
    TestClient(app).get("/", headers={"b3": f"{TRACE}-{SPAN}-1"})
    assert parent(observed) == (TRACE, SPAN)


def test_propagators_that_are_set_after_instrument(
    app: FastAPI, observed: Observed, request: pytest.FixtureRequest
) -> None:
    observed.instrument(app)
    request.getfixturevalue("b3")
    TestClient(app).get("/", headers={"b3": f"{TRACE}-{SPAN}-1"})
    assert parent(observed) == (TRACE, SPAN)
