"""Missing traffic pages; missing data, quiet services and unusual weeks don't.

Each simulation is of a Prometheus that starts shortly before the weeks' end: the recorded past
is given, as a backfill would write it, and the live part is counted by the rules.
"""

from __future__ import annotations

from pathlib import Path

from tests.alerts.promtool import Firing, Simulation

FILES = ("traffic.yml",)
WEEK = 7 * 24 * 60
"""Scrapes: one a minute here, for weeks have to be evaluated."""
USUAL = 600
"""Requests a minute."""


def counter(
    job: str, weeks: int, *phases: tuple[int, float], restart_every: int = 0
) -> dict[str, str]:
    """Count requests from `weeks` on, in phases of (scrapes, requests); negative: unseen."""
    values, total, scrape = [f"_x{weeks * WEEK}"] if weeks else [], 0.0, 0
    for scrapes, amount in phases:
        for _ in range(scrapes):
            scrape += 1
            total = 0.0 if restart_every and scrape % restart_every == 0 else total + abs(amount)
            values.append("_" if amount < 0 else f"{total:g}")
    labels = f'deployment_environment_name="test",instance="i",job="{job}"'
    return {
        "series": f"http_server_request_duration_seconds_count{{{labels}}}",
        "values": " ".join(values),
    }


def past(job: str, *weeks: float, recorded: str = "rate30m") -> dict[str, str]:
    """Record requests a minute in the first four hours of each week; negative: unknown."""
    gap = f"_x{WEEK - 240}"
    blocks = (f"{rate / 60:g}+0x239" if rate >= 0 else "_x240" for rate in weeks)
    labels = f'deployment_environment_name="test",job="{job}"'
    return {
        "series": f"job:http_server_requests:{recorded}{{{labels}}}",
        "values": f" {gap} ".join(blocks),
    }


def prometheus(weeks: int, *restarts: int) -> dict[str, str]:
    """Tell Prometheus's start: ten minutes before `weeks`, then at each minute given after it."""
    values, until = [], 0
    starts = [-10, *restarts]
    for start, end in zip(starts, [*restarts, 400], strict=True):
        values.append(f"{(weeks * WEEK + start) * 60}+0x{weeks * WEEK + end - until - 1}")
        until = weeks * WEEK + end
    return {"series": 'process_start_time_seconds{job="prometheus"}', "values": " ".join(values)}


def at(weeks: int, minute: int) -> str:
    return f"{weeks * WEEK + minute}m"


def drop(job: str) -> Firing:
    return ("TrafficDrop", job, "critical")


def gone(job: str) -> Firing:
    return ("TrafficGone", job, "critical")


def test_a_drop_on_past_weeks_pages_and_resolves(tmp_path: Path) -> None:
    fall = ((60, 600), (60, 360), (60, 600))
    series = [
        prometheus(3),
        *(past("dropping", 600, 600, 600), counter("dropping", 3, *fall)),
        *(past("young", -1, -1, 600), counter("young", 3, *fall)),
        *(past("steady", 600, 600, 600), counter("steady", 3, (180, 600))),
        past("restarting", 600, 600, 600),
        counter("restarting", 3, (180, 600), restart_every=20),
        # 720 requests in 30 minutes: too few to tell a drop from chance.
        *(past("quiet", 24, 24, 24), counter("quiet", 3, (60, 24), (120, 14))),
        # Nothing to compare with.
        counter("new", 3, (60, 600), (120, 200)),
        # Last week there was a sale; the median of three weeks does not mind.
        *(past("sale", 600, 600, 1200), counter("sale", 3, (180, 600))),
    ]
    both = {drop("dropping"), drop("young")}
    Simulation((*FILES, "naive.yml"), series, step="1m", evaluate="4m").check(
        tmp_path,
        {
            at(3, 5): set(),
            at(3, 60): set(),
            at(3, 70): set(),
            at(3, 95): both,
            at(3, 119): both,
            at(3, 150): set(),
        },
    )


def test_the_naive_formula_fires_after_last_weeks_sale(tmp_path: Path) -> None:
    series = [prometheus(1), past("sale", 1200), counter("sale", 1, (60, 600))]
    naive = ("NaiveTrafficDrop", "sale", "info")
    Simulation((*FILES, "naive.yml"), series, step="1m", evaluate="4m").check(
        tmp_path, {at(1, 5): set(), at(1, 50): {naive}}, severities="info"
    )


def test_a_service_that_falls_silent_pages_and_resolves(tmp_path: Path) -> None:
    series = [
        # Its target answers, but nobody asks it anything.
        counter("idle", 0, (120, 600), (60, 0), (60, 600)),
        # It came back from a restart without its series, for nobody asked it anything yet.
        counter("restarted", 0, (120, 600), (60, -0.1), (60, 600)),
        counter("steady", 0, (240, 600)),
        # Five requests in five minutes: silence may be chance.
        counter("quiet", 0, (120, 1), (120, 0)),
    ]
    both = {gone("idle"), gone("restarted")}
    Simulation(FILES, series, step="1m", evaluate="1m").check(
        tmp_path, {"119m": set(), "123m": set(), "132m": both, "170m": both, "185m": set()}
    )


def test_a_service_that_vanished_is_counted_as_zero(tmp_path: Path) -> None:
    series = [prometheus(1), past("orders", 600), counter("orders", 1, (60, 600), (180, -1))]
    # After an hour the silence is no longer news, but it is still a drop on last week.
    Simulation(FILES, series, step="1m", evaluate="4m").check(
        tmp_path,
        {
            at(1, 60): set(),
            at(1, 75): {gone("orders")},
            at(1, 95): {gone("orders"), drop("orders")},
            at(1, 200): {drop("orders")},
        },
    )


def test_a_series_is_not_read_low_while_it_is_young(tmp_path: Path) -> None:
    """After a hole a rate over two minutes would begin with a quarter of the truth."""
    first_two_scrapes = {
        "expr": "job:http_server_requests:irate2m",
        "eval_time": "15s",
        "exp_samples": [
            {
                "labels": "job:http_server_requests:irate2m{"
                'deployment_environment_name="test",job="orders"}',
                "value": 20,
            }
        ],
    }
    series = [counter("orders", 0, (10, 300))]
    simulation = Simulation(FILES, series, evaluate="15s")
    simulation.run(tmp_path, promql_expr_test=[first_two_scrapes])


def test_a_service_that_is_silent_at_this_hour_each_week_does_not_page(tmp_path: Path) -> None:
    live = counter("office", 1, (60, 600), (60, 0))
    leaving = past("office", 600, recorded="rate5m")
    # Last week they left ten minutes later.
    leaving["values"] = "10+0x69 0+0x100"
    silent: dict[str, set[Firing]] = {at(1, 59): set(), at(1, 72): set(), at(1, 110): set()}
    Simulation(FILES, [prometheus(1), leaving, live], step="1m", evaluate="4m").check(
        tmp_path, silent
    )
    expected = {at(1, 59): set(), at(1, 72): {gone("office")}}
    Simulation(FILES, [prometheus(1), live], step="1m", evaluate="4m").check(tmp_path, expected)


def test_a_service_that_is_often_silent_does_not_page_before_it_has_a_past_week(
    tmp_path: Path,
) -> None:
    """A batch client that comes for ten minutes of each hour; the first hours can't be known."""
    hours = [(10, 600), (50, 0)] * 4
    steady = [(200, 600), (40, 0)]
    series = [counter("batch", 0, *hours), counter("shop", 0, *steady)]
    Simulation((*FILES, "errors.yml"), series, step="1m", evaluate="1m").check(
        tmp_path,
        {
            "20m": {gone("batch")},
            "140m": set(),
            "200m": set(),
            "212m": {gone("shop")},
            "239m": {gone("shop")},
        },
    )


def test_users_who_come_or_leave_ten_minutes_off_their_usual_time_are_not_lost(
    tmp_path: Path,
) -> None:
    """All leave at once: for a while half of the usual 30 minutes' requests are missing."""
    # Past weeks left at minute 70 and came at minute 60; today both are ten minutes off.
    leaving, coming = past("leaving", 600), past("coming", 600)
    leaving["values"] = "10+0x69 10-0.333333x30 0+0x139"
    coming["values"] = "0+0x60 0.333333+0.333333x29 10+0x149"
    left, shop = past("leaving", 600, recorded="rate5m"), past("shop", 600)
    left["values"] = "10+0x69 0+0x170"
    series = [prometheus(1), leaving, left, counter("leaving", 1, (60, 600), (90, 0))]
    series += [coming, counter("coming", 1, (70, 0), (80, 600))]
    series += [shop, counter("shop", 1, (60, 600), (90, 300))]
    Simulation((*FILES, "errors.yml"), series, step="1m", evaluate="4m").check(
        tmp_path,
        {
            at(1, 59): set(),
            **{at(1, minute): {drop("shop")} for minute in range(88, 124, 4)},
        },
    )


def test_a_hole_in_prometheus_data_does_not_page(tmp_path: Path) -> None:
    # Prometheus was away for three hours. promtool evaluates through the hole as well, so the
    # new start is known from its beginning on.
    live = counter("orders", 1, (60, 600), (120, -600), (120, 600))
    starts = prometheus(1, 60)
    starts["values"] = starts["values"].replace(f"{(WEEK + 60) * 60}+0x", f"{(WEEK + 180) * 60}+0x")
    minutes = (60, 62, 70, 100, 170, 181, 183, 186, 190, 195, 205, 220, 290)
    Simulation(FILES, [starts, past("orders", 600), live], step="1m", evaluate="4m").check(
        tmp_path, {at(1, minute): set() for minute in minutes}
    )


def test_a_dead_collector_does_not_look_like_missing_traffic(tmp_path: Path) -> None:
    series = [
        prometheus(1),
        past("orders", 600),
        counter("orders", 1, (60, 600), (90, -600), (90, 600)),
        # The service's own `up` comes through the collector, and back with it.
        {"series": 'up{job="orders"}', "values": f"_x{WEEK} 1+0x59 _x90 1+0x89"},
        {"series": 'up{job="otel-collector"}', "values": f"_x{WEEK} 1+0x59 0+0x89 1+0x89"},
    ]
    blind = {("TargetGone", "otel-collector", "critical")}
    expected: dict[str, set[Firing]] = {at(1, minute): blind for minute in (65, 75, 95, 120, 149)}
    expected |= {at(1, minute): set() for minute in (59, 154, 158, 165, 180, 230)}
    Simulation((*FILES, "targets.yml"), series, step="1m", evaluate="4m").check(tmp_path, expected)
