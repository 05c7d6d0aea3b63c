"""The variables on top of a dashboard: data source, job, instance and route."""

from __future__ import annotations

from typing import Any, Final

from grafanalib import core

from dashboards.panels import DATASOURCE
from dashboards.prune import ALL_VALUES
from instrumentation.contract import places, promql
from instrumentation.contract.metrics import HTTP_SERVER_REQUEST_DURATION

JOB: Final = promql.matches("job", f"${places.JOB_VARIABLE}")
INSTANCE: Final = promql.matches("instance", f"${places.INSTANCE_VARIABLE}")
ROUTE: Final = promql.matches("http_route", f"${places.ROUTE_VARIABLE}")

_ON_TIME_RANGE_CHANGE: Final = 2
"""Jobs and routes come and go: those of the range that is looked at are offered."""


def variables() -> Any:
    """Return the dashboard's variables, each narrowed by those before it."""
    return core.Templating(
        [
            core.Template(
                name="datasource", label="Data source", type="datasource", query="prometheus"
            ),
            _variable(places.JOB_VARIABLE, "Service", "job", (), several=False),
            _variable(places.INSTANCE_VARIABLE, "Instance", "instance", (JOB,), several=True),
            _variable(places.ROUTE_VARIABLE, "Route", "http_route", (JOB,), several=True),
        ]
    )


def _variable(
    name: str, title: str, label: str, matchers: tuple[str, ...], *, several: bool
) -> Any:
    return core.Template(
        name=name,
        label=title,
        dataSource=DATASOURCE,
        query=promql.label_values(HTTP_SERVER_REQUEST_DURATION, label, matchers),
        refresh=_ON_TIME_RANGE_CHANGE,
        multi=several,
        includeAll=several,
        # An empty label matches too, so a series that lacks it is not lost.
        allValue=".*" if several else None,
        default=ALL_VALUES if several else None,
    )
