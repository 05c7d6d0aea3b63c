"""Errors page when they are many and frequent, and few requests are judged over an hour."""

from __future__ import annotations

from pathlib import Path

from tests.alerts.promtool import Simulation
from tests.alerts.simulation import Phase, service

ALERT = "HighErrorRatio"
FILES = ("errors.yml",)
PAGE = (ALERT, "orders", "critical")
TICKET = (ALERT, "orders", "warning")

MINUTE = 4
"""Scrapes."""


def test_errors_page_and_resolve(tmp_path: Path) -> None:
    series = service(
        "orders", Phase(30 * MINUTE), Phase(15 * MINUTE, errors=0.05), Phase(30 * MINUTE)
    )
    Simulation(FILES, series).check(
        tmp_path,
        {"30m": set(), "31m": set(), "35m": {PAGE, TICKET}, "45m": {PAGE, TICKET}, "60m": set()},
    )


def test_a_broken_route_of_a_busy_service_opens_a_ticket(tmp_path: Path) -> None:
    series = [
        *service("orders", Phase(60 * MINUTE, requests=3000), route="/sound"),
        *service(
            "orders",
            Phase(30 * MINUTE, requests=30),
            Phase(30 * MINUTE, requests=30, errors=0.2),
            route="/broken",
        ),
    ]
    Simulation(FILES, series).check(tmp_path, {"30m": set(), "45m": {TICKET}})


def test_errors_within_the_objective_are_silent(tmp_path: Path) -> None:
    series = service("orders", Phase(30 * MINUTE), Phase(30 * MINUTE, errors=0.008))
    Simulation(FILES, series).check(tmp_path, {"40m": set(), "60m": set()})


def test_few_errors_among_few_requests_are_silent(tmp_path: Path) -> None:
    # 200 requests and 3 errors in 5 minutes: 1.5 %, for 5 minutes.
    series = service(
        "orders",
        Phase(30 * MINUTE, requests=10),
        Phase(8 * MINUTE, requests=10, errors=0.015),
        Phase(60 * MINUTE, requests=10),
    )
    quiet: dict[str, set[tuple[str, str, str]]] = {"33m": set(), "37m": set(), "40m": set()}
    Simulation(FILES, series).check(tmp_path, quiet)
    naive = {"37m": {("NaiveErrorRatio", "orders", "info")}}
    Simulation((*FILES, "naive.yml"), series).check(tmp_path, naive, severities="info")


def test_errors_of_a_quiet_service_page_by_the_hour_and_resolve(tmp_path: Path) -> None:
    # 20 requests in 5 minutes, half of which fail.
    series = service(
        "orders",
        Phase(60 * MINUTE, requests=1),
        Phase(20 * MINUTE, requests=1, errors=0.5),
        Phase(60 * MINUTE, requests=1),
    )
    Simulation(FILES, series).check(
        tmp_path, {"60m": set(), "70m": {PAGE, TICKET}, "95m": {PAGE, TICKET}, "105m": set()}
    )


def test_a_few_errors_of_a_quiet_service_are_silent(tmp_path: Path) -> None:
    # 20 requests in 5 minutes, and 4 errors in an hour: 1.7 %.
    series = service(
        "orders",
        Phase(60 * MINUTE, requests=1),
        Phase(20 * MINUTE, requests=1, errors=0.05),
        Phase(20 * MINUTE, requests=1),
    )
    Simulation(FILES, series).check(
        tmp_path, {"60m": set(), "70m": set(), "80m": set(), "90m": set()}
    )


def test_a_burst_in_a_lull_is_judged_by_the_hour(tmp_path: Path) -> None:
    # 60 requests in 5 minutes of which 6 fail, after an hour of 24,000 requests.
    series = service(
        "orders",
        Phase(60 * MINUTE, requests=100),
        Phase(10 * MINUTE, requests=3),
        Phase(10 * MINUTE, requests=3, errors=0.1),
        Phase(10 * MINUTE, requests=3),
    )
    Simulation(FILES, series).check(
        tmp_path, {"70m": set(), "76m": set(), "80m": set(), "90m": set()}
    )


def test_a_day_of_errors_that_ended_does_not_page_at_night(tmp_path: Path) -> None:
    series = service(
        "orders",
        Phase(30 * MINUTE),
        Phase(10 * MINUTE, errors=0.2),
        Phase(20 * MINUTE),
        Phase(40 * MINUTE, requests=1),
    )
    Simulation(FILES, series).check(
        tmp_path, {"36m": {PAGE, TICKET}, "59m": set(), "66m": set(), "80m": set()}
    )


def test_a_restart_and_a_hole_in_the_data_are_silent(tmp_path: Path) -> None:
    series = service(
        "orders",
        Phase(30 * MINUTE, errors=0.005),
        Phase(10 * MINUTE, errors=0.005, restart=True),
        Phase(20 * MINUTE, errors=0.005, seen=False),
        Phase(20 * MINUTE, errors=0.005),
    )
    Simulation(FILES, series).check(
        tmp_path, {"31m": set(), "33m": set(), "62m": set(), "63m": set(), "70m": set()}
    )


def test_a_service_without_errors_has_an_error_rate_of_zero(tmp_path: Path) -> None:
    series = [
        each
        for each in service("orders", Phase(10 * MINUTE))
        if 'http_response_status_code="500"' not in each["series"]
    ]
    asked = {
        "expr": "job:http_server_errors:rate5m",
        "eval_time": "10m",
        "exp_samples": [
            {
                "labels": 'job:http_server_errors:rate5m{deployment_environment_name="test",'
                'job="orders"}',
                "value": 0,
            }
        ],
    }
    Simulation(FILES, series).run(tmp_path, promql_expr_test=[asked])
