"""Where a person reads on: what alerts link to and dashboards answer to.

Neither imports the other, so what they share is here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

GRAFANA_URL: Final = "http://127.0.0.1:3000"
JAEGER_URL: Final = "http://127.0.0.1:16686"
RUNBOOKS_URL: Final = "http://127.0.0.1:9090/user"
"""Prometheus serves the runbooks itself: `--web.user-assets=alerts/runbooks`."""

INCIDENT_DASHBOARD_UID: Final = "fastapi-incident"
CAPACITY_DASHBOARD_UID: Final = "fastapi-capacity"
TREND_DASHBOARD_UID: Final = "fastapi-trend"
ROUTE_DASHBOARD_UID: Final = "fastapi-route"
DEPENDENCIES_DASHBOARD_UID: Final = "fastapi-dependencies"
RUNTIME_DASHBOARD_UID: Final = "fastapi-runtime"
PIPELINE_DASHBOARD_UID: Final = "fastapi-pipeline"
JOB_VARIABLE: Final = "job"
INSTANCE_VARIABLE: Final = "instance"
ROUTE_VARIABLE: Final = "route"
WINDOW_VARIABLE: Final = "window"
JAEGER_VARIABLE: Final = "jaeger"

_BY_LABEL: Final = {
    "http_route": ROUTE_DASHBOARD_UID,
    "server_address": DEPENDENCIES_DASHBOARD_UID,
    "db_client_connection_pool_name": DEPENDENCIES_DASHBOARD_UID,
    "queue": DEPENDENCIES_DASHBOARD_UID,
    "pool": RUNTIME_DASHBOARD_UID,
    "task": RUNTIME_DASHBOARD_UID,
}


def dashboard_uid(kind: str, labels: Iterable[str]) -> str:
    """Where an alert of a kind is looked into: by the label that tells what it is about."""
    if kind == "watcher":
        return PIPELINE_DASHBOARD_UID
    return next((_BY_LABEL[each] for each in labels if each in _BY_LABEL), INCIDENT_DASHBOARD_UID)
