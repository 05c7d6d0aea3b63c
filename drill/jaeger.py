"""What the drill asks Jaeger."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import httpx

_TIMEOUT_SECONDS: Final = 10
_NANOSECONDS: Final = 1e9
_STATUS_ERROR: Final = 2


@dataclass(frozen=True, kw_only=True)
class Span:
    """One span, as far as a drill looks at it.

    Args:
        exception: type of the exception that it recorded; empty where there was none.
    """

    span_id: str
    service: str
    name: str
    seconds: float
    failed: bool
    exception: str


class Jaeger:
    """A client of one server's API, the one that answers in OTLP's own words."""

    def __init__(self, url: str) -> None:
        self.url = url
        # A proxy of the environment has no business with these addresses.
        self._http = httpx.Client(base_url=url, timeout=_TIMEOUT_SECONDS, trust_env=False)

    def trace(self, trace_id: str) -> list[Span]:
        """Return a trace's spans; none where Jaeger does not know it (yet)."""
        answer = self._http.get(f"/api/v3/traces/{trace_id}")
        if answer.status_code == httpx.codes.NOT_FOUND:
            return []
        resources = answer.raise_for_status().json()["result"]["resourceSpans"]
        return [
            _span(span, str(_attributes(resource["resource"]).get("service.name", "")))
            for resource in resources
            for scope in resource["scopeSpans"]
            for span in scope["spans"]
        ]

    def close(self) -> None:
        """Close the connections."""
        self._http.close()


def _span(span: dict[str, Any], service: str) -> Span:
    events = [event for event in span.get("events", []) if event["name"] == "exception"]
    nanoseconds = int(span["endTimeUnixNano"]) - int(span["startTimeUnixNano"])
    return Span(
        span_id=span["spanId"],
        service=service,
        name=span["name"],
        seconds=nanoseconds / _NANOSECONDS,
        failed=span["status"].get("code") == _STATUS_ERROR,
        exception=str(_attributes(events[0]).get("exception.type", "")) if events else "",
    )


def _attributes(owner: dict[str, Any]) -> dict[str, Any]:
    # A value is an object with its type as the only key.
    return {
        attribute["key"]: next(iter(attribute["value"].values()), None)
        for attribute in owner.get("attributes", [])
    }
