"""The series that recording rules write, named `level:metric:operations`.

A name keeps its window (`rate5m`) when a drill shortens the rules: past and live then join. The
rules are in `alerts/`; readers are alerts, dashboards and whoever writes a past.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, NamedTuple


@dataclass(frozen=True, slots=True)
class Level:
    """What one series stands for: `name` opens the recorded name, `labels` identify it.

    A service that states no `deployment.environment.name` simply lacks that label.
    """

    name: str
    labels: tuple[str, ...]


SERVICE: Final = Level("job", ("job", "deployment_environment_name"))
ROUTE: Final = Level("job_route", (*SERVICE.labels, "http_route"))
DEPENDENCY: Final = Level("job_server", (*SERVICE.labels, "server_address"))


class Series(NamedTuple):
    """One recorded name, the labels that its series carry, and whether weeks of it are read."""

    name: str
    labels: tuple[str, ...]
    weekly: bool


@dataclass(frozen=True, slots=True)
class Recorded:
    """One recorded quantity at its levels. `weekly` ones are read with `offset` or in views
    beyond two days, so a past that is worth having holds weeks of them. `extra` labels come in
    addition to the level's.
    """

    operations: str
    help: str
    levels: tuple[Level, ...] = (SERVICE, ROUTE)
    weekly: bool = False
    extra: tuple[str, ...] = ()

    def at(self, level: Level) -> str:
        """Name the series at a level. Raises ValueError where it is not recorded."""
        if level not in self.levels:
            raise ValueError(f"level: {self.operations} is not recorded by {level.name}")
        return f"{level.name}:{self.operations}"


_DURATION: Final = "http_server_request_duration_seconds"
_VIEWS: Final = ("5m", "30m", "1h", "6h")
"""Windows at which quantiles and ratios can be looked at."""

REQUESTS_NOW: Final = Recorded(
    "http_server_requests:irate2m",
    "Requests a second between the two newest scrapes; zero for a service that fell silent.",
    (SERVICE,),
)
REQUESTS_5M: Final = Recorded(
    "http_server_requests:rate5m", "Requests a second over 5 minutes.", weekly=True
)
REQUESTS_30M: Final = Recorded(
    "http_server_requests:rate30m",
    "Requests a second over 30 minutes; zero for a service that fell silent.",
    (SERVICE,),
    weekly=True,
)
REQUESTS_30M_USUAL: Final = Recorded(
    "http_server_requests:rate30m_usual",
    "Median of the requests a second in the same 30 minutes of past weeks.",
    (SERVICE,),
)
ROUTE_REQUESTS_30M: Final = Recorded(
    REQUESTS_30M.operations, "Requests a second over 30 minutes.", (ROUTE,)
)
REQUESTS_1H: Final = Recorded("http_server_requests:rate1h", "Requests a second over an hour.")
REQUESTS_6H: Final = Recorded("http_server_requests:rate6h", "Requests a second over 6 hours.")
ERRORS_5M: Final = Recorded(
    "http_server_errors:rate5m",
    "Requests a second over 5 minutes that failed with a 5xx; zero where none did.",
    weekly=True,
)
ERRORS_30M: Final = Recorded(
    "http_server_errors:rate30m",
    "Requests a second over 30 minutes that failed with a 5xx; zero where none did.",
    (ROUTE,),
)
ERRORS_1H: Final = Recorded(
    "http_server_errors:rate1h",
    "Requests a second over an hour that failed with a 5xx; zero where none did.",
)
TIMED_5M: Final = Recorded(
    "http_server_timed_requests:rate5m",
    "Requests a second over 5 minutes whose duration is judged: all but those answered with a 4xx.",
    (SERVICE,),
    weekly=True,
)
TIMED_10M: Final = Recorded(
    "http_server_timed_requests:rate10m",
    "Requests a second over 10 minutes whose duration is judged: all but those answered with a "
    "4xx.",
)
TIMED_1H: Final = Recorded(
    "http_server_timed_requests:rate1h",
    "Requests a second over an hour whose duration is judged.",
    (SERVICE,),
)
SLOW_5M: Final = Recorded(
    "http_server_slow_requests:rate5m",
    "Judged requests a second over 5 minutes that took longer than the latency objective.",
    (SERVICE,),
    weekly=True,
)
SLOW_1H: Final = Recorded(
    "http_server_slow_requests:rate1h",
    "Judged requests a second over an hour that took longer than the latency objective.",
    (SERVICE,),
)
P50_10M: Final = Recorded(
    f"{_DURATION}:p50_10m", "Median duration over 10 minutes, in seconds.", weekly=True
)
P95_10M: Final = Recorded(
    f"{_DURATION}:p95_10m", "95th percentile of durations over 10 minutes, in seconds.", weekly=True
)
P99_10M: Final = Recorded(
    f"{_DURATION}:p99_10m", "99th percentile of durations over 10 minutes, in seconds.", weekly=True
)
TAIL_10M: Final = Recorded(
    f"{_DURATION}:tail10m",
    "p99 divided by p50 over 10 minutes, where these held enough requests to tell.",
    weekly=True,
)
TAIL_10M_USUAL: Final = Recorded(
    f"{_DURATION}:tail10m_usual",
    "The larger of the tail's median in the past day and at the same time of past weeks.",
)
RESPONSES_5M: Final = {
    status: Recorded(
        f"http_server_responses_{status}:rate5m",
        f"Requests a second over 5 minutes that were answered with {status}; zero where none was.",
        (SERVICE,),
    )
    for status in ("401", "403", "422", "429", "503")
}
ABORTED_5M: Final = Recorded(
    "http_server_aborted_requests:rate5m",
    "Requests a second over 5 minutes whose client left first; zero where none did.",
    (SERVICE,),
)
DEPENDENCY_P95_5M: Final = Recorded(
    "http_client_request_duration_seconds:p95_5m",
    "95th percentile of outbound requests' durations over 5 minutes, in seconds.",
    (DEPENDENCY,),
)
UP: Final = Recorded(
    "up:max", "1 while a target of the job is up, 0 while all are down.", (SERVICE,)
)

BUCKETS_5M: Final = Recorded(
    f"{_DURATION}_bucket:rate5m",
    "Judged requests a second over 5 minutes at or below each bound, all instances together.",
    extra=("le",),
)
"""Read in place of a histogram's own series, of which there are many times as many."""
BUCKETS_1H: Final = Recorded(
    f"{_DURATION}_bucket:rate1h",
    "Judged requests a second over an hour at or below each bound, all instances together.",
    (ROUTE,),
    extra=("le",),
)
"""Read once for all quantiles: a route has forty times as many buckets as its service."""
ERROR_RATIO: Final = {
    window: Recorded(
        f"http_server_errors:ratio{window}",
        f"Share of the requests of {window} that failed with a 5xx.",
        (SERVICE, ROUTE) if window in _VIEWS else (SERVICE,),
    )
    for window in (*_VIEWS, "2h", "1d", "3d")
}
SLOW_RATIO: Final = {
    window: Recorded(
        f"http_server_slow_requests:ratio{window}",
        f"Share of the judged requests of {window} that took longer than the latency objective.",
        (SERVICE,),
        # What is usual is read from past days and weeks.
        weekly=window == "1h",
    )
    for window in (*_VIEWS, "2h", "1d", "3d")
}
SLOW_RATIO_USUAL: Final = Recorded(
    "http_server_slow_requests:ratio1h_usual",
    "The larger of the slow share's median in the past day and at the same time of past weeks.",
    (SERVICE,),
)
QUANTILES: Final = {
    (q, window): Recorded(
        f"{_DURATION}:p{q * 100:g}_{window}",
        f"{q:.0%} of the judged requests of {window} took no longer than this, in seconds.",
        (SERVICE, ROUTE) if window in ("5m", "1h") else (SERVICE,),
    )
    for window in _VIEWS
    for q in (0.5, 0.95, 0.99)
}
LAST_WEEK: Final = {
    quantity: Recorded(
        f"{quantity.operations}_last_week", f"A week ago: {quantity.help}", quantity.levels
    )
    for quantity in (REQUESTS_5M, ERRORS_5M, P50_10M, P99_10M)
}
"""Beside the present in a graph."""

ALL: Final = tuple(
    each
    for value in tuple(vars().values())
    for each in (value.values() if isinstance(value, dict) else (value,))
    if isinstance(each, Recorded)
)
"""Everything recorded, in the order above."""


def series() -> tuple[Series, ...]:
    """Every recorded name with its labels, sorted by name."""
    found = (
        Series(quantity.at(level), (*level.labels, *quantity.extra), quantity.weekly)
        for quantity in ALL
        for level in quantity.levels
    )
    return tuple(sorted(found))
