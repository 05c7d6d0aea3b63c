"""The dashboard "Service": rate, errors and duration, by service and by route."""

from __future__ import annotations

from typing import Any, Final

from grafanalib import core

from dashboards.panels import Graph, Query, Row, layout
from dashboards.variables import INSTANCE, JOB, ROUTE, variables
from instrumentation.contract import places, promql, queries, recorded, slo
from instrumentation.contract.recorded import SERVICE

_WINDOW: Final = promql.RATE_INTERVAL
_SERVICE_LEGEND: Final = "{{job}} {{deployment_environment_name}}"
_ROUTE_LEGEND: Final = "{{http_route}} {{deployment_environment_name}}"
_OF_SERVICE: Final = (JOB, INSTANCE)
_OF_ROUTE: Final = (JOB, INSTANCE, ROUTE)
_EXEMPLARS: Final = "The diamonds are exemplars: each links to the trace of one request."


def dashboard() -> Any:
    """Return grafanalib's dashboard."""
    return core.Dashboard(
        title="Service",
        uid=places.SERVICE_DASHBOARD_UID,
        description="Rate, errors and duration of a service and of its routes.",
        tags=["fastapi", "generated"],
        editable=False,
        schemaVersion=39,
        timezone="browser",
        refresh="30s",
        time=core.Time("now-1h", "now"),
        graphTooltip=core.GRAPH_TOOLTIP_MODE_SHARED_CROSSHAIR,
        templating=variables(),
        panels=layout(
            (
                Row("Service", (_requests(), _errors(), _durations())),
                Row("Service, compared with what is usual", (_usual_traffic(), _usual_tail())),
                Row("Routes", (_route_requests(), _route_errors())),
                Row("Duration by route", tuple(_route_duration(q) for q in (0.5, 0.95, 0.99))),
            )
        ),
    )


def _requests() -> Graph:
    rate = queries.request_rate(SERVICE.labels, _WINDOW, _OF_SERVICE)
    return Graph("Requests", "Requests a second.", "requests", (Query(rate, _SERVICE_LEGEND),))


def _errors() -> Graph:
    ratio = queries.error_ratio(SERVICE.labels, _WINDOW, _OF_SERVICE)
    return Graph(
        "Errors",
        "Share of requests that were answered with a 5xx. The line is where the alert begins.",
        "ratio",
        (Query(ratio, _SERVICE_LEGEND),),
        threshold=slo.DEFAULTS.errors.ratio,
    )


def _durations() -> Graph:
    return Graph(
        "Duration",
        "Half, 95 % and 99 % of the requests took no longer than this. The line is the latency "
        f"objective. {_EXEMPLARS}",
        "seconds",
        tuple(
            Query(
                queries.duration_quantile(q, SERVICE.labels, _WINDOW, _OF_SERVICE),
                f"p{q * 100:g} {_SERVICE_LEGEND}",
                exemplars=True,
            )
            for q in (0.5, 0.95, 0.99)
        ),
        threshold=slo.LATENCY_OBJECTIVE_SECONDS,
    )


def _usual_traffic() -> Graph:
    return Graph(
        "Requests over 30 minutes",
        "Beside the median of the same 30 minutes in the last three weeks. The alert begins "
        f"{slo.DEFAULTS.traffic.drop:.0%} below it. Recorded series: all instances and routes.",
        "requests",
        (
            Query(_recorded(recorded.REQUESTS_30M), f"seen {_SERVICE_LEGEND}"),
            Query(_recorded(recorded.REQUESTS_30M_USUAL), f"usual {_SERVICE_LEGEND}"),
        ),
    )


def _usual_tail() -> Graph:
    return Graph(
        "Tail: p99 divided by p50",
        f"Over 10 minutes. The alert begins above the line, at {slo.DEFAULTS.tail.unusual:g} times "
        "what is usual. Recorded series: all instances and routes.",
        "number",
        (
            Query(_recorded(recorded.TAIL_10M), f"seen {_SERVICE_LEGEND}"),
            Query(_recorded(recorded.TAIL_10M_USUAL), f"usual {_SERVICE_LEGEND}"),
        ),
        threshold=slo.DEFAULTS.tail.ratio,
    )


def _route_requests() -> Graph:
    rate = queries.request_rate(recorded.ROUTE.labels, _WINDOW, _OF_ROUTE)
    return Graph(
        "Requests by route", "Requests a second.", "requests", (Query(rate, _ROUTE_LEGEND),)
    )


def _route_errors() -> Graph:
    ratio = queries.error_ratio(recorded.ROUTE.labels, _WINDOW, _OF_ROUTE)
    return Graph(
        "Errors by route",
        "Share of a route's requests that were answered with a 5xx. The line is where the "
        "ticket begins.",
        "ratio",
        (Query(ratio, _ROUTE_LEGEND),),
        threshold=slo.DEFAULTS.errors.ratio,
    )


def _route_duration(q: float) -> Graph:
    quantile = queries.duration_quantile(q, recorded.ROUTE.labels, _WINDOW, _OF_ROUTE)
    return Graph(
        f"p{q * 100:g} by route",
        f"{q:.0%} of a route's requests took no longer than this. {_EXEMPLARS}",
        "seconds",
        (Query(quantile, _ROUTE_LEGEND, exemplars=True),),
    )


def _recorded(quantity: recorded.Recorded) -> str:
    return promql.selector(quantity.at(SERVICE), (JOB,))
