"""A long tail pages, unless few users feel it or the service is always like that."""

from __future__ import annotations

from pathlib import Path

from tests.alerts.promtool import Firing, Simulation
from tests.alerts.simulation import SLOW_TAIL, Phase, service

ALERT = "HighTailLatency"
FILES = ("tail.yml",)
PAGE = (ALERT, "orders", "critical")
TICKET = (ALERT, "orders", "warning")

MINUTE = 4
"""Scrapes."""


def test_a_slow_tail_pages_and_resolves(tmp_path: Path) -> None:
    series = service(
        "orders",
        Phase(90 * MINUTE),
        Phase(20 * MINUTE, durations=SLOW_TAIL),
        Phase(30 * MINUTE),
    )
    Simulation(FILES, series).check(
        tmp_path, {"90m": set(), "94m": set(), "100m": {PAGE, TICKET}, "135m": set()}
    )


def test_a_slow_route_of_a_fast_service_opens_a_ticket(tmp_path: Path) -> None:
    series = [
        *service("orders", Phase(120 * MINUTE, requests=3000), route="/fast"),
        *service(
            "orders",
            Phase(90 * MINUTE, requests=20),
            Phase(30 * MINUTE, requests=20, durations=SLOW_TAIL),
            route="/slow",
        ),
    ]
    Simulation(FILES, series).check(tmp_path, {"90m": set(), "110m": {TICKET}})


def test_a_service_that_always_has_a_long_tail_does_not_page(tmp_path: Path) -> None:
    series = service("orders", Phase(180 * MINUTE, durations=SLOW_TAIL))
    Simulation(FILES, series).check(tmp_path, {"90m": set(), "120m": set(), "170m": set()})


def test_a_service_with_about_one_slow_request_in_a_hundred_does_not_page_by_chance(
    tmp_path: Path,
) -> None:
    """p99 jumps from 80 ms to 900 ms and back, for a part of a percent more or less of them."""

    def slow(share: float) -> dict[float, float]:
        return {0.02: 0.5, 0.04: 0.48, 0.08: 0.02 - share, 0.9: share}

    series = service(
        "orders",
        Phase(90 * MINUTE, durations=slow(0.008)),
        Phase(30 * MINUTE, durations=slow(0.013)),
        Phase(30 * MINUTE, durations=slow(0.008)),
        Phase(20 * MINUTE, durations=SLOW_TAIL),
    )
    # By route, where the number of slow requests is not recorded, it is a ticket.
    expected = {"90m": (), "119m": ("warning",), "149m": (), "160m": ("critical", "warning")}
    asked = [
        {
            "expr": f'count by (severity) (ALERTS{{alertname="{ALERT}", alertstate="firing"}})',
            "eval_time": time,
            "exp_samples": [{"labels": f'{{severity="{each}"}}', "value": 1} for each in firing],
        }
        for time, firing in expected.items()
    ]
    Simulation((*FILES, "objectives.yml"), series).run(tmp_path, promql_expr_test=asked)


def test_a_service_without_a_past_opens_a_ticket(tmp_path: Path) -> None:
    series = service("orders", Phase(60 * MINUTE, durations=SLOW_TAIL))
    # One of the service, one of its route.
    asked = {
        "expr": f'sum by (severity) (ALERTS{{alertname="{ALERT}", alertstate="firing"}})',
        "eval_time": "30m",
        "exp_samples": [{"labels": '{severity="warning"}', "value": 2}],
    }
    Simulation(FILES, series).run(tmp_path, promql_expr_test=[asked])


def test_the_same_time_of_past_weeks_counts_as_usual(tmp_path: Path) -> None:
    """A weekly batch with a long tail: unusual for the past day, usual for this hour."""
    week = 7 * 24 * 60
    name = "http_server_request_duration_seconds"
    labels = 'deployment_environment_name="test",job="batch"'
    batch = [
        {"series": f"job:{name}:tail10m{{{labels}}}", "values": "45+0x40"},
        {
            "series": f'job_route:{name}:tail10m{{{labels},http_route="/orders"}}',
            "values": "45+0x40",
        },
    ]
    live = [
        {"series": each["series"], "values": f"_x{week - 120} {each['values']}"}
        for job in ("batch", "orders")
        for each in service(job, Phase(120), Phase(30, durations=SLOW_TAIL))
    ]
    expected = {f"{week - 1}m": set[Firing](), f"{week + 25}m": {PAGE, TICKET}}
    Simulation(FILES, [*batch, *live], step="1m", evaluate="3m").check(tmp_path, expected)


def test_a_long_tail_that_nobody_waits_for_is_silent(tmp_path: Path) -> None:
    quick = {0.005: 0.95, 0.2: 0.05}
    series = service("orders", Phase(90 * MINUTE), Phase(30 * MINUTE, durations=quick))
    Simulation(FILES, series).check(tmp_path, {"90m": set(), "105m": set(), "120m": set()})


def test_a_handful_of_requests_is_silent(tmp_path: Path) -> None:
    series = service(
        "orders",
        Phase(90 * MINUTE, requests=7),
        Phase(30 * MINUTE, requests=7, durations=SLOW_TAIL),
    )
    Simulation(FILES, series).check(tmp_path, {"90m": set(), "105m": set(), "120m": set()})


def test_a_service_without_requests_is_silent(tmp_path: Path) -> None:
    series = service("orders", Phase(90 * MINUTE), Phase(60 * MINUTE, requests=0))
    quantiles = {
        "expr": 'count({__name__=~"job:.*:(p50|p99|tail)_?10m"}) or vector(0)',
        "eval_time": "130m",
        "exp_samples": [{"labels": "{}", "value": 0}],
    }
    Simulation(FILES, series).run(tmp_path, promql_expr_test=[quantiles])
    Simulation(FILES, series).check(tmp_path, {"95m": set(), "130m": set()})


def test_a_restart_and_a_hole_in_the_data_are_silent(tmp_path: Path) -> None:
    series = service(
        "orders",
        Phase(90 * MINUTE),
        Phase(30 * MINUTE, restart=True),
        Phase(20 * MINUTE, seen=False),
        Phase(30 * MINUTE),
    )
    Simulation(FILES, series).check(
        tmp_path, {"91m": set(), "100m": set(), "141m": set(), "146m": set(), "165m": set()}
    )
