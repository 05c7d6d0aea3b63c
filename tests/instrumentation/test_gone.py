"""An application that nobody has any more leaves nothing behind: tests make hundreds of them."""

from __future__ import annotations

import gc
import threading
import weakref

import pytest
from fastapi import FastAPI
from opentelemetry.sdk.trace import TracerProvider
from prometheus_client import CollectorRegistry
from starlette.testclient import TestClient

from instrumentation import Settings, Telemetry, instrument, wiring
from instrumentation.context import active


def application() -> FastAPI:
    app, mounted = FastAPI(), FastAPI()
    for each in (app, mounted):
        each.get("/")(lambda: "")
    app.mount("/mounted", mounted)
    return app


def observe(app: FastAPI) -> Telemetry:
    provider = TracerProvider(shutdown_on_exit=False)
    return instrument(app, Settings(), registry=CollectorRegistry(), tracer_provider=provider)


def served() -> tuple[weakref.ref[FastAPI], Telemetry]:
    """Of an application that has served and is gone."""
    app = application()
    telemetry = observe(app)
    with TestClient(app) as client:
        assert client.get("/").status_code == client.get("/mounted/").status_code == 200
    return weakref.ref(app), telemetry


def test_an_application_is_not_kept_alive() -> None:
    reference, telemetry = served()
    gc.collect()
    try:
        assert reference() is None
    finally:
        telemetry.uninstrument()


def test_what_worked_for_it_ends_when_the_next_one_is_instrumented() -> None:
    _, telemetry = served()
    assert telemetry in active
    gc.collect()
    with observe(application()) as following:
        assert telemetry not in active
        assert following in active
    names = {thread.name for thread in threading.enumerate()}
    assert active or "instrumentation-watchdog" not in names


def test_one_that_was_uninstrumented_is_not_so_again() -> None:
    app = application()
    telemetry = observe(app)
    telemetry.uninstrument()
    del app
    gc.collect()
    assert telemetry not in wiring._abandoned


def test_an_error_on_the_way_out_is_counted_and_breaks_nothing() -> None:
    _, telemetry = served()

    def fail() -> None:
        raise ZeroDivisionError

    telemetry.on_uninstrument(fail)
    gc.collect()
    with observe(application()):
        pass
    told = telemetry.registry.get_sample_value(
        "instrumentation_internal_errors_total", {"part": "life"}
    )
    assert told == 1
    assert telemetry not in active


@pytest.mark.parametrize("kept", [True, False])
def test_the_same_telemetry_comes_back_as_long_as_the_application_is_there(kept: bool) -> None:
    registry, provider = CollectorRegistry(), TracerProvider(shutdown_on_exit=False)
    app = application()
    first = instrument(app, Settings(), registry=registry, tracer_provider=provider)
    if not kept:
        app = application()
        gc.collect()
    second = instrument(app, Settings(), registry=registry, tracer_provider=provider)
    assert (first is second) is kept
    second.uninstrument()
