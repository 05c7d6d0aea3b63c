"""What the drill asks Prometheus."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import httpx

if TYPE_CHECKING:
    from collections.abc import Mapping

_TIMEOUT_SECONDS: Final = 10


@dataclass(frozen=True, kw_only=True)
class Alert:
    """An alert that fires; `value` is its expression's, `since` a time as Prometheus spells it."""

    labels: Mapping[str, str]
    value: float
    since: str

    @property
    def name(self) -> str:
        """The rule's name."""
        return self.labels["alertname"]

    @property
    def severity(self) -> str:
        """Who must care, and when."""
        return self.labels["severity"]

    def __str__(self) -> str:
        labels = {name: value for name, value in self.labels.items() if name != "alertname"}
        inside = ", ".join(f"{name}={value}" for name, value in sorted(labels.items()))
        return f"{self.name}{{{inside}}} = {self.value:.4g} since {self.since}"


@dataclass(frozen=True, kw_only=True)
class Exemplar:
    """One request behind a histogram; `value` is its duration in seconds, `at` is Unix time."""

    trace_id: str
    span_id: str
    value: float
    at: float


class Prometheus:
    """A client of one server's API."""

    def __init__(self, url: str) -> None:
        self.url = url
        # A proxy of the environment has no business with these addresses.
        self._http = httpx.Client(base_url=url, timeout=_TIMEOUT_SECONDS, trust_env=False)

    def firing(self) -> list[Alert]:
        """Return the alerts that fire now."""
        return [
            Alert(labels=alert["labels"], value=float(alert["value"]), since=alert["activeAt"][:19])
            for alert in self._get("/api/v1/alerts")["alerts"]
            if alert["state"] == "firing"
        ]

    def value(self, expression: str) -> float | None:
        """Return the value of an expression's only series; None where it has none or several."""
        result = self._get("/api/v1/query", query=expression)["result"]
        return float(result[0]["value"][1]) if len(result) == 1 else None

    def exemplars(self, expression: str, since: float) -> list[Exemplar]:
        """Return an expression's exemplars since a Unix time, the newest first."""
        path = "/api/v1/query_exemplars"
        data = self._get(path, query=expression, start=since, end=time.time())
        found = [
            Exemplar(
                trace_id=each["labels"]["trace_id"],
                span_id=each["labels"]["span_id"],
                value=float(each["value"]),
                at=each["timestamp"],
            )
            for series in data
            for each in series["exemplars"]
        ]
        return sorted(found, key=lambda each: each.at, reverse=True)

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def _get(self, path: str, **parameters: str | float) -> Any:
        return self._http.get(path, params=parameters).raise_for_status().json()["data"]
