"""Every helper returns PromQL that means what its name says."""

from __future__ import annotations

import promql_parser
import pytest

from instrumentation.contract import promql
from instrumentation.contract.buckets import DENSE
from instrumentation.contract.metrics import (
    ASYNCIO_TASKS,
    HTTP_CLIENT_RETRIES,
    HTTP_SERVER_REQUEST_DURATION,
)


@pytest.mark.parametrize(
    ("seconds", "spelled"),
    [
        (15, "15s"),
        (1.5, "1s500ms"),
        (90, "1m30s"),
        (600, "10m"),
        (86_400, "1d"),
        (604_800, "1w"),
        (0.001, "1ms"),
        (8640, "2h24m"),
    ],
)
def test_a_duration_is_spelled_as_prometheus_does(seconds: float, spelled: str) -> None:
    assert promql.duration(seconds) == spelled


def test_grafanas_window_stays_as_it_is() -> None:
    assert promql.duration(promql.RATE_INTERVAL) == "$__rate_interval"


@pytest.mark.parametrize("seconds", [0, -1, 0.0004])
def test_a_window_of_nothing_is_refused(seconds: float) -> None:
    with pytest.raises(ValueError, match="at least 1 ms"):
        promql.duration(seconds)


def test_bounds_are_spelled_as_labels_and_never_whole() -> None:
    assert promql.bound(0.5) == "0.5"
    assert [float(promql.bound(limit)) for limit in DENSE] == list(DENSE)
    with pytest.raises(ValueError, match="whole number"):
        promql.bound(1.0)


def test_a_label_s_value_can_hold_anything() -> None:
    matcher = promql.equals("http_route", '/a"b\\c')
    parsed = promql_parser.parse(promql.selector("up", (matcher,)))
    assert isinstance(parsed, promql_parser.VectorSelector)
    assert [each.value for each in parsed.matchers.matchers] == ['/a"b\\c']


def test_a_histogram_is_asked_through_its_buckets_and_count() -> None:
    by = ("job",)
    assert promql.quantile(0.99, HTTP_SERVER_REQUEST_DURATION, 600, by) == (
        "histogram_quantile(0.99, sum by (job, le) "
        "(rate(http_server_request_duration_seconds_bucket[10m])))"
    )
    assert promql.observations(HTTP_SERVER_REQUEST_DURATION, 600, by, ('a="b"',)) == (
        'sum by (job) (rate(http_server_request_duration_seconds_count{a="b"}[10m]))'
    )
    assert promql.at_most(HTTP_SERVER_REQUEST_DURATION, 0.5, 600, by) == (
        'sum by (job) (rate(http_server_request_duration_seconds_bucket{le="0.5"}[10m]))'
    )


def test_a_limit_between_two_bounds_is_refused() -> None:
    with pytest.raises(ValueError, match="must be a bound"):
        promql.at_most(HTTP_SERVER_REQUEST_DURATION, 0.4, 600, ("job",))


def test_a_metric_of_another_kind_is_refused() -> None:
    with pytest.raises(ValueError, match="must be a histogram; asyncio_tasks is a gauge"):
        promql.quantile(0.5, ASYNCIO_TASKS, 600, ("job",))
    with pytest.raises(ValueError, match="must be a counter"):
        promql.rate(HTTP_SERVER_REQUEST_DURATION, 600, ("job",))
    assert "http_client_retries_total[10m]" in promql.rate(HTTP_CLIENT_RETRIES, 600, ("job",))
