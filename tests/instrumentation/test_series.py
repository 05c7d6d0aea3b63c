"""A label that grows without bound can't take the process down."""

from __future__ import annotations

import logging

import pytest
from prometheus_client import CollectorRegistry

from instrumentation.contract import metrics
from instrumentation.errors import InternalErrors
from instrumentation.series import Families, families


@pytest.fixture
def registry() -> CollectorRegistry:
    return CollectorRegistry()


def test_beyond_the_limit_series_fold_into_overflow(registry: CollectorRegistry) -> None:
    made = Families(registry, limit=2)
    for number in range(5):
        made.aborted_requests.child("GET", f"/{number}").inc()
    value = registry.get_sample_value
    name = "http_server_aborted_requests_total"
    assert value(name, {"http_request_method": "GET", "http_route": "/1"}) == 1
    assert value(name, {"http_request_method": "GET", "http_route": "/2"}) is None
    assert value(name, {"http_request_method": "_overflow", "http_route": "_overflow"}) == 3
    assert value("instrumentation_series_overflow_total", {"metric": name}) == 3


def test_a_registry_has_its_families_once(registry: CollectorRegistry) -> None:
    assert families(registry, 10) is families(registry, 10)


def test_internal_errors_are_counted_and_logged_once_a_minute(
    registry: CollectorRegistry, caplog: pytest.LogCaptureFixture
) -> None:
    now = [0.0]
    errors = InternalErrors(Families(registry, 10), clock=lambda: now[0])
    with caplog.at_level(logging.ERROR, logger="instrumentation"):
        for now[0] in (0.0, 30.0, 59.0, 61.0):
            errors.report("http", RuntimeError("broken"))
    assert len(caplog.records) == 2
    count = registry.get_sample_value("instrumentation_internal_errors_total", {"part": "http"})
    assert count == 4


def test_gauges_are_brought_up_to_date_before_anybody_reads(registry: CollectorRegistry) -> None:
    made = Families(registry, 10)
    tasks = made.gauge(metrics.ASYNCIO_TASKS).child()
    undo = made.on_collect(lambda: tasks.set(7))

    assert registry.get_sample_value("asyncio_tasks") == 7

    undo()
    tasks.set(1)
    assert registry.get_sample_value("asyncio_tasks") == 1


def test_a_gauge_that_cannot_be_read_hides_no_other(
    registry: CollectorRegistry, caplog: pytest.LogCaptureFixture
) -> None:
    made = Families(registry, 10)
    made.on_collect(lambda: 1 / 0)
    made.internal_errors.child("http").inc()

    value = registry.get_sample_value("instrumentation_internal_errors_total", {"part": "http"})

    assert value == 1
    assert "ZeroDivisionError" in caplog.text
