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


class Series(NamedTuple):
    """One recorded name, the labels that its series carry, and whether weeks of it are read."""

    name: str
    labels: tuple[str, ...]
    weekly: bool


@dataclass(frozen=True, slots=True)
class Recorded:
    """One recorded quantity at its levels. `weekly` ones are read with `offset` or in views
    beyond two days, so a past that is worth having holds weeks of them.
    """

    operations: str
    help: str
    levels: tuple[Level, ...] = (SERVICE, ROUTE)
    weekly: bool = False

    def at(self, level: Level) -> str:
        """Name the series at a level. Raises ValueError where it is not recorded."""
        if level not in self.levels:
            raise ValueError(f"level: {self.operations} is not recorded by {level.name}")
        return f"{level.name}:{self.operations}"


_DURATION: Final = "http_server_request_duration_seconds"

REQUESTS_NOW: Final = Recorded(
    "http_server_requests:irate2m",
    "Requests a second between the two newest scrapes; zero for a service that fell silent.",
    (SERVICE,),
)
REQUESTS_5M: Final = Recorded(
    "http_server_requests:rate5m", "Requests a second over 5 minutes.", weekly=True
)
REQUESTS_10M: Final = Recorded("http_server_requests:rate10m", "Requests a second over 10 minutes.")
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
REQUESTS_1H: Final = Recorded("http_server_requests:rate1h", "Requests a second over an hour.")
ERRORS_5M: Final = Recorded(
    "http_server_errors:rate5m",
    "Requests a second over 5 minutes that failed with a 5xx; zero where none did.",
    weekly=True,
)
ERRORS_1H: Final = Recorded(
    "http_server_errors:rate1h",
    "Requests a second over an hour that failed with a 5xx; zero where none did.",
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
UP: Final = Recorded(
    "up:max", "1 while a target of the job is up, 0 while all are down.", (SERVICE,)
)

ALL: Final = tuple(value for value in tuple(vars().values()) if isinstance(value, Recorded))
"""Everything recorded, in the order above."""


def series() -> tuple[Series, ...]:
    """Every recorded name with its labels, sorted by name."""
    found = (
        Series(quantity.at(level), level.labels, quantity.weekly)
        for quantity in ALL
        for level in quantity.levels
    )
    return tuple(sorted(found))
