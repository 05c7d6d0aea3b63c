"""The slowest traces, from Jaeger."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

import httpx

from dashboards.snapshot.errors import SnapshotError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dashboards.snapshot.filling import Range

_TIMEOUT_SECONDS: Final = 60
_SERVER: Final = 2
"""OTLP's number of the kind of span that a request makes."""
_SEARCHED: Final = 200
"""Jaeger can't sort by duration: of the newest so many, the slowest are chosen."""
_ERROR: Final = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """A service's slowest request within one trace; `at` in Unix seconds."""

    identifier: str
    name: str
    seconds: float
    at: float
    failed: bool
    url: str


class Jaeger:
    """A client of one server's API."""

    def __init__(self, url: str) -> None:
        self._url = url.rstrip("/")
        self._http = httpx.Client(base_url=self._url, timeout=_TIMEOUT_SECONDS, trust_env=False)

    def services(self) -> list[str]:
        """Return the names of the services that sent spans."""
        return sorted(self._ask("/api/v3/services").get("services", []))

    def slowest(self, service: str, seen: Range, count: int, least: float = 0) -> tuple[Trace, ...]:
        """Return a service's slowest requests of the range that took `least` seconds or more."""
        parameters = {
            "query.service_name": service,
            "query.start_time_min": _time(seen.start),
            "query.start_time_max": _time(seen.end),
            "query.num_traces": str(_SEARCHED),
        }
        if least:
            parameters["query.duration_min"] = f"{least * 1000:g}ms"
        found: dict[str, Trace] = {}
        for span in _spans(self._ask("/api/v3/traces", **parameters), service):
            trace = self._trace(span)
            if trace.seconds > getattr(found.get(trace.identifier), "seconds", 0):
                found[trace.identifier] = trace
        return tuple(sorted(found.values(), key=lambda each: -each.seconds)[:count])

    def page(self, identifier: str) -> str:
        """Return the address at which a trace is shown."""
        return f"{self._url}/trace/{identifier}"

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def _trace(self, span: dict[str, Any]) -> Trace:
        start, end = int(span["startTimeUnixNano"]), int(span["endTimeUnixNano"])
        return Trace(
            identifier=span["traceId"],
            name=span["name"],
            seconds=(end - start) / 1e9,
            at=start / 1e9,
            failed=span.get("status", {}).get("code") in (_ERROR, "STATUS_CODE_ERROR"),
            url=self.page(span["traceId"]),
        )

    def _ask(self, path: str, **parameters: str) -> dict[str, Any]:
        try:
            answer = self._http.get(path, params=parameters)
        except httpx.HTTPError as error:
            raise SnapshotError(f"Jaeger at {self._url} does not answer: {error}") from error
        if answer.status_code == httpx.codes.NOT_FOUND:
            return {}
        try:
            content: dict[str, Any] = answer.raise_for_status().json()
        except (ValueError, httpx.HTTPStatusError):
            said = answer.text[:300]
            raise SnapshotError(
                f"Jaeger at {self._url} answered {answer.status_code}: {said}"
            ) from None
        return content


def _spans(content: dict[str, Any], service: str) -> Iterator[dict[str, Any]]:
    """Yield the requests that a service answered."""
    for resource in content.get("result", {}).get("resourceSpans", []):
        attributes = resource.get("resource", {}).get("attributes", [])
        names = {
            each["value"].get("stringValue") for each in attributes if each["key"] == "service.name"
        }
        if service not in names:
            continue
        for scope in resource.get("scopeSpans", []):
            for span in scope["spans"]:
                if span.get("kind") in (_SERVER, "SPAN_KIND_SERVER"):
                    yield span


def _time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat().replace("+00:00", "Z")
