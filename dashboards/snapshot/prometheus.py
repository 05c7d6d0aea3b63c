"""What a snapshot asks Prometheus."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import httpx

from dashboards.snapshot.errors import SnapshotError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dashboards.snapshot.filling import Range

_TIMEOUT_SECONDS: Final = 60


@dataclass(frozen=True, slots=True)
class Series:
    """One line: its labels, and its times (Unix seconds) with values."""

    labels: Mapping[str, str]
    points: tuple[tuple[float, float], ...]

    @property
    def last(self) -> float:
        """The newest value."""
        return self.points[-1][1]


@dataclass(frozen=True, slots=True)
class Exemplar:
    """One request of a histogram: its time, its value and its trace."""

    at: float
    value: float
    trace: str


class Prometheus:
    """A client of one server's API."""

    def __init__(self, url: str) -> None:
        self._url = url.rstrip("/")
        # A proxy of the environment has no business with what is usually an inner address.
        self._http = httpx.Client(base_url=self._url, timeout=_TIMEOUT_SECONDS, trust_env=False)

    def over(self, expression: str, seen: Range, step: float) -> tuple[Series, ...]:
        """Return an expression's series over a range."""
        data = self._ask(
            "/api/v1/query_range", query=expression, start=seen.start, end=seen.end, step=step
        )
        return tuple(_series(each["metric"], each["values"]) for each in data["result"])

    def at(self, expression: str, time: float) -> tuple[Series, ...]:
        """Return an expression's series at one moment."""
        data = self._ask("/api/v1/query", query=expression, time=time)
        return tuple(_series(each["metric"], [each["value"]]) for each in data["result"])

    def exemplars(self, expression: str, seen: Range) -> tuple[Exemplar, ...]:
        """Return those of an expression's series over a range, each trace once."""
        path = "/api/v1/query_exemplars"
        data = self._ask(path, query=expression, start=seen.start, end=seen.end)
        found = {
            each["labels"]["trace_id"]: (each["timestamp"], float(each["value"]))
            for series in data
            for each in series["exemplars"]
            if "trace_id" in each["labels"]
        }
        return tuple(Exemplar(at, value, trace) for trace, (at, value) in found.items())

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def _ask(self, path: str, **parameters: str | float) -> Any:
        try:
            answer = self._http.post(path, data=parameters)
        except httpx.HTTPError as error:
            raise SnapshotError(f"Prometheus at {self._url} does not answer: {error}") from error
        try:
            data = answer.json()["data"]
        except (ValueError, KeyError, TypeError):
            said = answer.text[:300]
            raise SnapshotError(
                f"Prometheus at {self._url} answered {answer.status_code}: {said}"
            ) from None
        return data


def _series(labels: Mapping[str, str], values: list[tuple[float, str]]) -> Series:
    return Series(labels, tuple((at, float(value)) for at, value in values))
