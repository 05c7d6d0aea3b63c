"""The daily shape and the mix of traffic."""

from __future__ import annotations

import math
from datetime import UTC, datetime

import pytest

from demo_service import shape
from demo_service.shape import MIX, Traffic, rate

HOUR, DAY, WEEK = 3600.0, 86_400.0, 604_800.0
MONDAY = datetime(2026, 3, 2, tzinfo=UTC).timestamp()
MINUTES = [MONDAY + 60.0 * minute for minute in range(7 * 24 * 60)]


def hour_of(at: float) -> int:
    return datetime.fromtimestamp(at, UTC).hour


def test_the_mean_over_a_week_is_the_base() -> None:
    assert sum(map(rate, MINUTES)) / len(MINUTES) == pytest.approx(shape.MEAN_RATE, rel=1e-6)


def test_the_night_keeps_more_than_sixty_percent_of_the_peak() -> None:
    rates = [rate(at) for at in MINUTES]
    assert min(rates) / max(rates) > 0.6
    assert min(rates) / max(rates) >= shape.LOWEST_SHARE


def test_the_day_is_busy_and_the_night_is_quiet() -> None:
    for day in range(7):
        minutes = MINUTES[day * 24 * 60 : (day + 1) * 24 * 60]
        assert hour_of(max(minutes, key=rate)) in (13, 14)
        assert hour_of(min(minutes, key=rate)) in (1, 2, 3)


def test_the_weekend_is_a_little_quieter() -> None:
    days = [
        sum(map(rate, MINUTES[day * 24 * 60 : (day + 1) * 24 * 60])) / (24 * 60) for day in range(7)
    ]
    assert days.index(max(days)) == 2
    assert max(days[5:]) < min(days[:4])
    assert min(days) / max(days) > 0.9


def test_every_week_is_the_same_and_nothing_jumps() -> None:
    for at in MINUTES[::97]:
        assert rate(at + 3 * WEEK) == pytest.approx(rate(at), rel=1e-6)
        assert rate(at + 60) == pytest.approx(rate(at), rel=0.002)


def test_the_base_scales_the_rate() -> None:
    assert rate(MONDAY, base=5.0) == pytest.approx(rate(MONDAY) / 4)


def test_the_weights_of_a_service_are_shares_of_the_orders_traffic() -> None:
    assert math.fsum(kind.weight for kind in MIX if kind.job == "orders") == pytest.approx(1.0)
    charges = [kind for kind in MIX if kind.job == "payments"]
    assert [kind.weight for kind in charges] == [shape.PLACE_ORDER.weight]


def test_no_kind_of_traffic_is_listed_twice_or_fails() -> None:
    labels = [(kind.job, kind.method, kind.route, kind.status) for kind in MIX]
    assert len(set(labels)) == len(labels)
    assert all(kind.status < 500 for kind in MIX)


@pytest.mark.parametrize("kind", MIX, ids=lambda kind: f"{kind.method} {kind.route} {kind.status}")
def test_latencies_keep_the_tail_within_three_times_the_median(kind: Traffic) -> None:
    assert math.exp(2.326 * kind.sigma) < 3
    assert 0.0005 < math.exp(kind.mu) < 0.1
