"""The links that an alert carries: its runbook, and the dashboard and the traces at its time."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from instrumentation.contract import places

if TYPE_CHECKING:
    from collections.abc import Mapping

    from instrumentation.contract.recorded import Level

_BEFORE_SECONDS: Final = 3600
_AFTER_SECONDS: Final = 1800
_ROUTE: Final = "{{ $labels.http_route | urlQueryEscape }}"


@dataclass(frozen=True, slots=True)
class Links:
    """Base addresses, without a slash at the end."""

    grafana: str = places.GRAFANA_URL
    runbooks: str = places.RUNBOOKS_URL
    jaeger: str = places.JAEGER_URL

    def runbook(self, alert: str) -> str:
        """Link to an alert's runbook."""
        return f"{self.runbooks}/{alert}.md"

    def dashboard(self, alert: str, kind: str, level: Level) -> str:
        """Link to the dashboard that explains the alert, around its start, as a template."""
        parts = [
            f"{self.grafana}/d/{places.dashboard_uid(kind, level.labels)}?"
            f"var-{places.JOB_VARIABLE}={{{{ $labels.job | urlQueryEscape }}}}"
        ]
        if "instance" in level.labels:
            instance = "{{ $labels.instance | urlQueryEscape }}"
            parts.append(f"var-{places.INSTANCE_VARIABLE}={instance}")
        if "http_route" in level.labels:
            parts.append(f"var-{places.ROUTE_VARIABLE}={_ROUTE}")
        parts.append(f"from={_around_start(alert, -_BEFORE_SECONDS, 1000, 'now-1h')}")
        parts.append(f"to={_around_start(alert, _AFTER_SECONDS, 1000, 'now')}")
        return "&".join(parts)

    def traces(self, alert: str, level: Level, search: Mapping[str, str]) -> str:
        """Link to Jaeger's search around the alert's start, as a template.

        `search` holds parameters of that search; its `tags` are written as `key=value`. A route
        is one more tag.
        """
        parts = [f"{self.jaeger}/search?service={{{{ $labels.job | urlQueryEscape }}}}"]
        parts += [f"{name}={quote(value)}" for name, value in search.items() if name != "tags"]
        tags = dict([search["tags"].split("=", 1)]) if "tags" in search else {}
        if "http_route" in level.labels:
            tags["http.route"] = _ROUTE
        if tags:
            parts.append(f"tags={_encoded(tags)}")
        parts.append(f"lookback=custom&start={_around_start(alert, -_BEFORE_SECONDS, 10**6)}")
        parts.append(f"end={_around_start(alert, _AFTER_SECONDS, 10**6)}")
        return "&".join(parts)


def _encoded(tags: Mapping[str, str]) -> str:
    """Encode tags as Jaeger wants them, JSON in a query, but for the route's template."""
    text = quote(json.dumps(tags, separators=(",", ":")))
    return text.replace(quote(_ROUTE), _ROUTE)


def _around_start(alert: str, seconds: int, ticks: int, otherwise: str = "") -> str:
    """Template of a time in so many ticks a second, counted from the alert's start.

    Templates know no start. Prometheus keeps it as the value of ALERTS_FOR_STATE, which exists
    from an alert's second evaluation on.
    """
    start = f"min(ALERTS_FOR_STATE{{alertname='{alert}',job=%q}})"
    query = f'printf "{ticks} * ({start} {seconds:+d})" $labels.job | query'
    return f'{{{{ with {query} }}}}{{{{ . | first | value | printf "%.0f" }}}}{{{{ else }}}}{otherwise}{{{{ end }}}}'  # noqa: E501 - one template, read in one line
