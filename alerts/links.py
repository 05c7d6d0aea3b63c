"""The links that an alert carries to its runbook and to the dashboard at its time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from instrumentation.contract import places, recorded

_BEFORE_SECONDS: Final = 3600
_AFTER_SECONDS: Final = 1800


@dataclass(frozen=True, slots=True)
class Links:
    """Base addresses, without a slash at the end."""

    grafana: str = places.GRAFANA_URL
    runbooks: str = places.RUNBOOKS_URL

    def runbook(self, alert: str) -> str:
        """Link to an alert's runbook."""
        return f"{self.runbooks}/{alert}.md"

    def dashboard(self, alert: str, level: recorded.Level) -> str:
        """Link to the dashboard of the alert's service around its start, as a template."""
        parts = [
            f"{self.grafana}/d/{places.SERVICE_DASHBOARD_UID}?"
            f"var-{places.JOB_VARIABLE}={{{{ $labels.job | urlQueryEscape }}}}"
        ]
        if level is recorded.ROUTE:
            route = "{{ $labels.http_route | urlQueryEscape }}"
            parts.append(f"var-{places.ROUTE_VARIABLE}={route}")
        parts.append(f"from={_around_start(alert, -_BEFORE_SECONDS, 'now-1h')}")
        parts.append(f"to={_around_start(alert, _AFTER_SECONDS, 'now')}")
        return "&".join(parts)


def _around_start(alert: str, seconds: int, otherwise: str) -> str:
    """Template of a time in milliseconds, counted from the alert's start.

    Templates know no start. Prometheus keeps it as the value of ALERTS_FOR_STATE, which exists
    from an alert's second evaluation on.
    """
    start = f"min(ALERTS_FOR_STATE{{alertname='{alert}',job=%q}})"
    query = f'printf "1000 * ({start} {seconds:+d})" $labels.job | query'
    return f'{{{{ with {query} }}}}{{{{ . | first | value | printf "%.0f" }}}}{{{{ else }}}}{otherwise}{{{{ end }}}}'  # noqa: E501
