"""What is chosen on top of a dashboard: data source, job, instance, route, window."""

from __future__ import annotations

from typing import Any, Final

from grafanalib import core

from dashboards.model import Variable
from dashboards.prune import ALL_VALUES
from instrumentation.contract import places, promql
from instrumentation.contract.metrics import HTTP_SERVER_REQUEST_DURATION
from instrumentation.contract.recorded import SLOW_RATIO

DATASOURCE: Final = {"type": "prometheus", "uid": "${datasource}"}

JOB: Final = promql.matches("job", f"${places.JOB_VARIABLE}")
INSTANCE: Final = promql.matches("instance", f"${places.INSTANCE_VARIABLE}")
ROUTE: Final = promql.matches("http_route", f"${places.ROUTE_VARIABLE}")

OF_SERVICE: Final = (JOB,)
OF_INSTANCE: Final = (JOB, INSTANCE)
OF_ROUTE: Final = (JOB, INSTANCE, ROUTE)

_ON_TIME_RANGE_CHANGE: Final = 2
"""Jobs and routes come and go: those of the range that is looked at are offered."""
_HIDDEN: Final = 2


def _values(label: str, *matchers: str) -> str:
    return promql.label_values(HTTP_SERVER_REQUEST_DURATION, label, matchers)


SERVICES: Final = Variable(places.JOB_VARIABLE, "Service", _values("job"), several=True)
INSTANCES: Final = Variable(
    places.INSTANCE_VARIABLE, "Instance", _values("instance", JOB), several=True, default=ALL_VALUES
)
ROUTES: Final = Variable(
    places.ROUTE_VARIABLE, "Route", _values("http_route", JOB), several=True, default=ALL_VALUES
)
WINDOWS: Final = Variable(
    places.WINDOW_VARIABLE, "Objective's window", options=tuple(SLOW_RATIO), default="1h"
)
TRACES: Final = Variable(
    places.JAEGER_VARIABLE, "Jaeger", options=(places.JAEGER_URL,), hidden=True
)


def templating(chosen: tuple[Variable, ...]) -> Any:
    """Return grafanalib's list of a dashboard's variables, the data source first."""
    source = core.Template(
        name="datasource", label="Data source", type="datasource", query="prometheus"
    )
    return core.Templating([source, *(_template(variable) for variable in chosen)])


def _template(variable: Variable) -> Any:
    if variable.hidden:
        return core.Template(
            name=variable.name,
            label=variable.title,
            type="constant",
            query=variable.options[0],
            hide=_HIDDEN,
            default=variable.options[0],
        )
    if variable.options:
        return core.Template(
            name=variable.name,
            label=variable.title,
            type="custom",
            query=",".join(variable.options),
            default=variable.default,
        )
    return core.Template(
        name=variable.name,
        label=variable.title,
        dataSource=DATASOURCE,
        query=variable.query,
        refresh=_ON_TIME_RANGE_CHANGE,
        multi=variable.several,
        includeAll=variable.several,
        # An empty label matches too, so a series that lacks it is not lost.
        allValue=".*" if variable.several else None,
        default=variable.default or None,
    )
