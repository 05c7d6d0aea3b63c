"""The numbers agree with each other, scaled or not, and absurd ones are refused."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from instrumentation.contract import buckets, recorded, slo
from instrumentation.contract.slo import DEFAULTS

DEMO_REQUESTS_A_SECOND = 20 * 0.6
"""What the demo's load falls to at night."""


def by_key(numbers: slo.Numbers) -> dict[str, float]:
    return {key: value for key, _, value in slo.keyed(numbers)}


def test_every_window_holds_four_scrapes() -> None:
    """A scale shortens windows and scrapes alike, so this holds at every scale."""
    windows = {key: value for key, kind, value in slo.keyed(DEFAULTS) if kind.window}
    assert len(windows) > 10
    assert min(windows.values()) >= slo.MIN_SCRAPES_IN_WINDOW * slo.SCRAPE_INTERVAL_SECONDS


@pytest.mark.parametrize(
    ("window", "floor"),
    [
        (DEFAULTS.tail.window, DEFAULTS.tail.min_requests),
        (DEFAULTS.errors.window, DEFAULTS.errors.min_requests),
        (DEFAULTS.traffic.window, DEFAULTS.traffic.min_requests),
        (DEFAULTS.silence.window, DEFAULTS.silence.min_requests),
    ],
)
def test_the_demo_reaches_every_floor_in_the_shortest_windows(window: int, floor: int) -> None:
    assert window / slo.MAX_SCALE * DEMO_REQUESTS_A_SECOND >= floor


def test_the_objective_is_a_bound_and_p99_can_be_told_from_the_floor() -> None:
    assert slo.LATENCY_OBJECTIVE_SECONDS in buckets.DENSE
    below = max(bound for bound in buckets.DENSE if bound <= DEFAULTS.tail.floor)
    assert DEFAULTS.tail.floor / below < 1.25


def test_a_fault_is_not_its_own_usual_value_before_it_pages() -> None:
    assert DEFAULTS.tail.min_past > DEFAULTS.tail.window + DEFAULTS.tail.wait


def test_missing_data_settle_before_missing_requests_page() -> None:
    assert DEFAULTS.targets.settle < DEFAULTS.traffic.wait
    assert DEFAULTS.traffic.sample < DEFAULTS.targets.settle


def test_a_scale_divides_times_and_leaves_thresholds_floors_and_pasts() -> None:
    short = by_key(DEFAULTS.scaled(10))
    for key, kind, value in slo.keyed(DEFAULTS):
        assert short[key] == (value / 10 if kind.scaled else value), key
    kept = {"errors.ratio", "tail.floor", "tail.min_past", "traffic.min_requests"}
    assert kept <= {key for key, kind, _ in slo.keyed(DEFAULTS) if not kind.scaled}


@pytest.mark.parametrize(
    ("section", "changes", "message"),
    [
        ("errors", {"ratio": 1}, r"errors\.ratio: must be a share from .*, not 1"),
        ("errors", {"ratio": 0}, r"errors\.ratio: must be a share from .*, not 0"),
        ("errors", {"ratio": float("nan")}, r"errors\.ratio: must be a share from .*, not nan"),
        ("errors", {"ratio": "much"}, r"errors\.ratio: must be a share from .*, not 'much'"),
        ("errors", {"min_errors": 2.5}, r"errors\.min_errors: must be a whole number .*, not 2.5"),
        ("tail", {"ratio": 0.5}, r"tail\.ratio: must be a factor from 1 to 1000, not 0.5"),
        ("traffic", {"window": 30}, r"traffic\.window: must hold 4 scrapes, 60 s or more, not 30"),
        ("tail", {"wait": -1}, r"tail\.wait: must be a wait from 0s to 1d, not -1"),
    ],
)
def test_an_absurd_number_is_refused_by_its_key(
    section: str, changes: dict[str, Any], message: str
) -> None:
    changed = replace(getattr(DEFAULTS, section), **changes)
    with pytest.raises(ValueError, match=message):
        replace(DEFAULTS, **{section: changed})


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("burn_fastest", {"short": 120}),
        ("burn_slowest", {"short": 7200}),
        ("burn_fast", {"window": 7200}),
        ("burn_sudden", {"window": 3600}),
        ("burn_sudden", {"short": 600}),
    ],
)
def test_a_burn_rate_s_window_that_is_not_recorded_is_refused(
    name: str, changes: dict[str, Any]
) -> None:
    burn = replace(getattr(DEFAULTS.objectives, name), **changes)
    with pytest.raises(ValueError, match=r"objectives\.burn_\w+\.(short|window): must be"):
        replace(DEFAULTS, objectives=replace(DEFAULTS.objectives, **{name: burn}))


def test_recorded_names_are_level_metric_operations() -> None:
    names = [series.name for series in recorded.series()]
    assert len(set(names)) == len(names)
    for series in recorded.series():
        level, *rest = series.name.split(":")
        assert level in {"job", "job_route", "job_server"}
        assert len(rest) in {1, 2}
        assert ("http_route" in series.labels) == (level == "job_route")
        assert {"job", "deployment_environment_name"} <= set(series.labels)


def test_a_level_that_is_not_recorded_is_refused() -> None:
    with pytest.raises(ValueError, match="not recorded by job_route"):
        recorded.REQUESTS_30M.at(recorded.ROUTE)
