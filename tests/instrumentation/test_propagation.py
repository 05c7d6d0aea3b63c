"""The caller's trace goes on, in whichever format the propagators speak."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from fastapi import FastAPI
from opentelemetry import baggage, propagate, trace
from opentelemetry.propagators.b3 import B3MultiFormat
from starlette.testclient import TestClient

from tests.instrumentation.conftest import Observed

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


def test_w3c(app: FastAPI, observed: Observed) -> None:
    observed.instrument(app)
    TestClient(app).get("/", headers={"traceparent": f"00-{TRACE}-{SPAN}-01"})
    assert parent(observed) == (TRACE, SPAN)


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
