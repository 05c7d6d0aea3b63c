"""A budget that is spent too fast pages or opens a ticket; a slow nature or one error doesn't."""

from __future__ import annotations

from pathlib import Path

from tests.alerts.messages import message
from tests.alerts.promtool import Firing, Simulation
from tests.alerts.simulation import FAST, Phase, service

FILES = ("errors.yml", "objectives.yml")
MINUTE = 4
"""Scrapes."""
SLOW = {seconds * 30: share for seconds, share in FAST.items()}
"""Everything takes thirty times as long, so p99 is still about twice p50."""
SLOW_BY_NATURE = {0.1: 0.7, 1.4: 0.3}
LATENCY: Firing = ("LatencyBudgetBurn", "orders", "critical")
LATENCY_TICKET: Firing = ("LatencyBudgetBurn", "orders", "warning")
AVAILABILITY: Firing = ("AvailabilityBudgetBurn", "orders", "critical")
AVAILABILITY_TICKET: Firing = ("AvailabilityBudgetBurn", "orders", "warning")


def test_a_service_that_is_slow_as_a_whole_pages_though_its_ratio_is_kept(tmp_path: Path) -> None:
    series = service(
        "orders",
        Phase(120 * MINUTE),
        Phase(30 * MINUTE, durations=SLOW),
        Phase(40 * MINUTE),
    )
    both = {LATENCY, LATENCY_TICKET}
    Simulation((*FILES, "tail.yml"), series).check(
        # The ticket stays until two hours hold little of it, the page half an hour.
        tmp_path,
        {"120m": set(), "122m": set(), "135m": both, "150m": both, "185m": {LATENCY_TICKET}},
    )


def test_a_service_that_is_slow_by_nature_opens_a_ticket(tmp_path: Path) -> None:
    series = service("orders", Phase(240 * MINUTE, durations=SLOW_BY_NATURE))
    Simulation(FILES, series, evaluate="1m").check(
        tmp_path, {"30m": {LATENCY_TICKET}, "120m": {LATENCY_TICKET}, "240m": {LATENCY_TICKET}}
    )


def test_half_of_all_requests_above_the_objective_page_within_a_quarter_of_an_hour(
    tmp_path: Path,
) -> None:
    halved = {0.2: 0.2, 0.4: 0.3, 0.6: 0.3, 0.8: 0.2}
    series = service("orders", Phase(120 * MINUTE), Phase(30 * MINUTE, durations=halved))
    Simulation(FILES, series).check(
        tmp_path, {"120m": set(), "135m": {LATENCY}}, severities="critical"
    )


def test_few_requests_of_a_service_that_is_slow_by_nature_may_be_slower_by_chance(
    tmp_path: Path,
) -> None:
    """Six a minute, every fifth of them slow; for a quarter of an hour it is every second."""
    usual, unlucky, worse = ({0.1: 1 - share, 1.4: share} for share in (0.2, 0.5, 0.8))
    series = service(
        "orders",
        Phase(240 * MINUTE, 6 / MINUTE, durations=usual),
        Phase(15 * MINUTE, 6 / MINUTE, durations=unlucky),
        Phase(75 * MINUTE, 6 / MINUTE, durations=usual),
        Phase(30 * MINUTE, 6 / MINUTE, durations=worse),
    )
    Simulation(FILES, series, evaluate="1m").check(
        tmp_path,
        {"239m": set(), "254m": set(), "329m": set(), "358m": {LATENCY}},
        severities="critical",
    )


def test_refused_requests_make_no_service_fast(tmp_path: Path) -> None:
    """A client that scans for pages is answered at once; that spends no budget and saves none."""
    slow = service("orders", Phase(120 * MINUTE), Phase(30 * MINUTE, durations=SLOW))
    refused = [
        {**each, "series": each["series"].replace('status_code="200"', 'status_code="404"')}
        for each in service("orders", Phase(150 * MINUTE, requests=30_000), route="unmatched")
        if 'status_code="200"' in each["series"]
    ]
    Simulation(FILES, [*slow, *refused]).check(
        tmp_path, {"120m": set(), "135m": {LATENCY, LATENCY_TICKET}}
    )


def test_a_small_share_of_errors_pages_after_hours_and_resolves(tmp_path: Path) -> None:
    series = service(
        "orders",
        Phase(420, requests=1200),
        Phase(420, requests=1200, errors=0.008),
        Phase(60, requests=1200),
    )
    both = {AVAILABILITY, AVAILABILITY_TICKET}
    Simulation(FILES, series, step="1m", evaluate="1m").check(
        tmp_path, {"420m": set(), "840m": both, "900m": {AVAILABILITY_TICKET}}
    )


def test_a_share_of_errors_below_every_rate_is_silent(tmp_path: Path) -> None:
    series = service("orders", Phase(480, requests=12_000, errors=0.0009))
    Simulation(FILES, series, step="1m", evaluate="2m").check(
        tmp_path, {"240m": set(), "480m": set()}
    )


def test_a_few_errors_in_a_quiet_night_are_silent(tmp_path: Path) -> None:
    """Three of ten requests an hour: thirty per cent, and still three requests."""
    series = service(
        "orders", Phase(60, requests=0.17), Phase(10, requests=0.3, errors=1), Phase(50, 0.17)
    )
    Simulation(FILES, series, step="1m", evaluate="1m").check(
        tmp_path, {"65m": set(), "75m": set(), "115m": set()}
    )


def test_the_messages_tell_how_fast(tmp_path: Path) -> None:
    series = service("orders", Phase(120 * MINUTE), Phase(60 * MINUTE, errors=0.05, durations=SLOW))
    errors = "Errors (5xx) spend the budget {} times as fast as 99.9% over 28 days allow."
    slow = (
        "Requests of more than 0.5 s spend the budget {} times as fast as 99% within that time "
        "over 28 days allow."
    )
    asked = [
        {
            "eval_time": "180m",
            "alertname": alert,
            "exp_alerts": [
                message(
                    alert,
                    60 * start,
                    severity=severity,
                    summary=f"orders {summary}",
                    description=description.format(rate),
                    traces=traces,
                )
                for severity, rate in rates
            ],
        }
        for alert, start, summary, description, traces, rates in (
            (
                "AvailabilityBudgetBurn",
                125,
                "spends its error budget too fast",
                errors,
                "tags=%7B%22error%22%3A%22true%22%7D",
                (("critical", 50), ("warning", 16.35)),
            ),
            (
                "LatencyBudgetBurn",
                123,
                "answers too slowly",
                slow,
                "minDuration=500ms",
                (("critical", 100), ("warning", 32.77)),
            ),
        )
    ]
    Simulation(FILES, series, evaluate="1m").run(tmp_path, alert_rule_test=asked)
