"""The numbers agree with each other, scaled or not."""

from __future__ import annotations

import pytest

from instrumentation.contract import buckets, recorded, slo

WINDOWS = {
    name: getattr(slo, name)
    for name in dir(slo)
    if name.endswith(("_WINDOW_SECONDS", "_SAMPLE_SECONDS", "_RECENT_SECONDS", "_AROUND_SECONDS"))
}
DEMO_REQUESTS_A_SECOND = 20 * 0.6
"""What the demo's load falls to at night."""


@pytest.mark.parametrize("name", sorted(WINDOWS))
def test_every_window_holds_four_scrapes(name: str) -> None:
    """A scale shortens windows and scrapes alike, so this holds at every scale."""
    assert WINDOWS[name] >= slo.MIN_SCRAPES_IN_WINDOW * slo.SCRAPE_INTERVAL_SECONDS


@pytest.mark.parametrize(
    ("window", "floor"),
    [
        (slo.TAIL_WINDOW_SECONDS, slo.TAIL_MIN_REQUESTS),
        (slo.ERROR_WINDOW_SECONDS, slo.ERROR_MIN_REQUESTS),
        (slo.TRAFFIC_WINDOW_SECONDS, slo.TRAFFIC_MIN_REQUESTS),
        (slo.GONE_WINDOW_SECONDS, slo.GONE_MIN_REQUESTS),
    ],
)
def test_the_demo_reaches_every_floor_in_the_shortest_windows(window: int, floor: int) -> None:
    assert window / slo.MAX_SCALE * DEMO_REQUESTS_A_SECOND >= floor


def test_the_objective_is_a_bound_and_p99_can_be_told_from_the_floor() -> None:
    assert slo.LATENCY_OBJECTIVE_SECONDS in buckets.DENSE
    below = max(bound for bound in buckets.DENSE if bound <= slo.TAIL_FLOOR_SECONDS)
    assert slo.TAIL_FLOOR_SECONDS / below < 1.25


def test_a_fault_is_not_its_own_usual_value_before_it_pages() -> None:
    assert slo.TAIL_MIN_PAST_SECONDS > slo.TAIL_WINDOW_SECONDS + slo.TAIL_FOR_SECONDS


def test_missing_data_settle_before_missing_requests_page() -> None:
    assert slo.SETTLE_SECONDS < slo.TRAFFIC_FOR_SECONDS
    assert slo.TRAFFIC_SAMPLE_SECONDS < slo.SETTLE_SECONDS


def test_recorded_names_are_level_metric_operations() -> None:
    names = [series.name for series in recorded.series()]
    assert len(set(names)) == len(names)
    for series in recorded.series():
        level, *rest = series.name.split(":")
        assert level in {"job", "job_route"}
        assert len(rest) in {1, 2}
        assert ("http_route" in series.labels) == (level == "job_route")
        assert {"job", "deployment_environment_name"} <= set(series.labels)


def test_a_level_that_is_not_recorded_is_refused() -> None:
    with pytest.raises(ValueError, match="not recorded by job_route"):
        recorded.REQUESTS_30M.at(recorded.ROUTE)
