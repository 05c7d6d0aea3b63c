"""Where a person reads on: what alerts link to and dashboards answer to.

Neither imports the other, so what they share is here.
"""

from __future__ import annotations

from typing import Final

GRAFANA_URL: Final = "http://127.0.0.1:3000"
JAEGER_URL: Final = "http://127.0.0.1:16686"
RUNBOOKS_URL: Final = "http://127.0.0.1:9090/user"
"""Prometheus serves the runbooks itself: `--web.user-assets=alerts/runbooks`."""

INCIDENT_DASHBOARD_UID: Final = "fastapi-incident"
CAPACITY_DASHBOARD_UID: Final = "fastapi-capacity"
TREND_DASHBOARD_UID: Final = "fastapi-trend"
JOB_VARIABLE: Final = "job"
INSTANCE_VARIABLE: Final = "instance"
ROUTE_VARIABLE: Final = "route"
WINDOW_VARIABLE: Final = "window"
JAEGER_VARIABLE: Final = "jaeger"
