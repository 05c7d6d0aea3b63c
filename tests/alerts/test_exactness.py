"""Longer windows are made of shorter ones' recordings: how far from the raw series they are."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

from instrumentation.contract import recorded, recordings
from instrumentation.contract.metrics import HTTP_SERVER_REQUEST_DURATION as DURATION
from instrumentation.contract.slo import DEFAULTS
from tests.alerts.promtool import Simulation
from tests.alerts.simulation import Phase, service

FILES = ("errors.yml", "tail.yml", "objectives.yml", "views.yml")
MINUTE = 4
SERVICE = "job, deployment_environment_name"
ROUTE = f"{SERVICE}, http_route"
COUNT = f"{DURATION.name}_count"
FAILED = f'{COUNT}{{http_response_status_code="500"}}'
SLOWER = {0.08: 0.5, 0.3: 0.48, 0.9: 0.02}
REQUESTS_A_SECOND = 20


class Compared(NamedTuple):
    """A recorded name and the same of the raw series, over a window of so many minutes.

    `change` is how much the value changes at the step, `share` how much of that they may differ.
    """

    recorded: str
    raw: str
    minutes: int
    change: float
    share: float


def rate(series: str, window: str, by: str) -> str:
    return f"sum by ({by}) (rate({series}[{window}]))"


def errors(window: str, minutes: int, share: float) -> Compared:
    raw = f"{rate(FAILED, window, SERVICE)} / {rate(COUNT, window, SERVICE)}"
    return Compared(f"job:http_server_errors:ratio{window}", raw, minutes, 0.05, share)


def requests(window: str, minutes: int, share: float) -> Compared:
    name = f"job_route:http_server_requests:rate{window}"
    return Compared(name, rate(COUNT, window, ROUTE), minutes, REQUESTS_A_SECOND, share)


def buckets(window: str, minutes: int, share: float) -> Compared:
    """What quantiles are made of; nothing here is a 4xx."""
    made = recordings.buckets(recorded.SERVICE, 60 * minutes, DEFAULTS)
    raw = rate(f"{DURATION.name}_bucket", window, f"{SERVICE}, le")
    return Compared(made, raw, minutes, REQUESTS_A_SECOND, share)


def buckets_of_routes(window: str, minutes: int, share: float) -> Compared:
    """What quantiles of routes are made of."""
    raw = rate(f"{DURATION.name}_bucket", window, f"{ROUTE}, le")
    name = recorded.BUCKETS_1H.at(recorded.ROUTE)
    return Compared(name, raw, minutes, REQUESTS_A_SECOND, share)


def steady(each: Compared, minute: int) -> dict[str, Any]:
    return truth(
        minute,
        f"count(abs({each.recorded} - {each.raw}) <= {0.001 * each.change:g}) == count({each.raw})",
    )


def within(each: Compared, begin: int) -> dict[str, Any]:
    """Ask whether they differ by less than the share at worst, and by not much less than that."""
    span = f"[{each.minutes}m:1m]"
    worst = f"max(max_over_time(abs({each.recorded} - {each.raw}){span}))"
    bound = each.share * each.change
    return truth(begin + each.minutes, f"{worst} < {bound:g} > {bound / 2:g}")


def truth(minute: int, condition: str) -> dict[str, Any]:
    return {
        "expr": f"count({condition})",
        "eval_time": f"{minute}m",
        "exp_samples": [{"labels": "{}", "value": 1}],
    }


SERIES = service(
    "orders",
    Phase(90 * MINUTE),
    Phase(70 * MINUTE, errors=0.05, durations=SLOWER),
    Phase(70 * MINUTE, requests=600, errors=0.05, durations=SLOWER),
)
ERRORS_BEGIN, REQUESTS_DOUBLE = 90, 160


def test_longer_windows_differ_from_the_raw_series_by_a_few_percent_of_a_step(
    tmp_path: Path,
) -> None:
    asked = []
    for begin, each in (
        (ERRORS_BEGIN, errors("30m", 30, 0.09)),
        (ERRORS_BEGIN, errors("1h", 60, 0.05)),
        (ERRORS_BEGIN, buckets("10m", 10, 0.13)),
        (ERRORS_BEGIN, buckets("1h", 60, 0.05)),
        (ERRORS_BEGIN, buckets_of_routes("1h", 60, 0.05)),
        (REQUESTS_DOUBLE, requests("1h", 60, 0.05)),
    ):
        # Before and after it they are the same.
        asked += [
            steady(each, begin - 1),
            within(each, begin),
            steady(each, begin + each.minutes + 2),
        ]
    Simulation(FILES, SERIES, evaluate="1m").run(tmp_path, promql_expr_test=asked)
