"""Incident: is it us, who is hit, since when, what changed, which cause."""

from __future__ import annotations

from typing import Final

from dashboards import causes, links
from dashboards.model import Board, Column, Graph, Query, Row, Stat, Table
from dashboards.variables import (
    INSTANCES,
    OF_INSTANCE,
    OF_ROUTE,
    OF_SERVICE,
    ROUTES,
    SERVICES,
    TRACES,
    WINDOWS,
)
from dashboards.words import JOB, LATENCY, LEGEND, NO_REQUESTS, PAST, SLOWER, WINDOW
from instrumentation.contract import places, queries, slo
from instrumentation.contract.panels import objectives, saturation, service
from instrumentation.contract.recorded import ROUTE, SERVICE


def _budget() -> Stat:
    period = slo.DEFAULTS.objectives.period
    days = f"{period / 86400:g} days"
    return Stat(
        title="How much of the budget is left?",
        description=f"Of the requests that may fail, or be slow, within {days}. Below zero the "
        "objective is missed. A younger service is judged by the past that it has.",
        unit="ratio",
        least=0,
        queries=(
            Query(objectives.availability_left(OF_SERVICE, period), f"availability {LEGEND}"),
            Query(objectives.latency_left(OF_SERVICE, period), f"latency {LEGEND}"),
        ),
        empty="No request was recorded yet",
    )


def _burn() -> Graph:
    window = f"${places.WINDOW_VARIABLE}"
    return Graph(
        title="How fast is the budget spent?",
        description="1 spends exactly the whole budget by the period's end. Over the window that "
        "is chosen on top. The line is where the fastest burn pages.",
        unit="number",
        queries=(
            Query(objectives.availability_burn(OF_SERVICE, window), f"availability {LEGEND}"),
            Query(objectives.latency_burn(OF_SERVICE, window), f"latency {LEGEND}"),
        ),
        threshold=slo.DEFAULTS.objectives.burn_fastest.rate,
        empty="Nothing is recorded for this window yet",
    )


def _requests() -> Graph:
    return Graph(
        title="Do as many requests come as a week ago?",
        description=f"Requests a second. {PAST}",
        unit="requests",
        queries=(
            Query(queries.request_rate(SERVICE.labels, WINDOW, OF_INSTANCE), LEGEND, "requests"),
            Query(service.requests_last_week(OF_SERVICE), f"last week {LEGEND}", "past"),
        ),
        empty=NO_REQUESTS,
        links=(links.to_traces(JOB),),
    )


def _errors() -> Graph:
    return Graph(
        title="Which share of the requests fails?",
        description=f"Answered with a 5xx. The line is where the alert begins. {PAST}",
        unit="ratio",
        queries=(
            Query(queries.error_ratio(SERVICE.labels, WINDOW, OF_INSTANCE), LEGEND, "errors"),
            Query(service.errors_last_week(OF_SERVICE), f"last week {LEGEND}", "past"),
        ),
        threshold=slo.DEFAULTS.errors.ratio,
        empty=NO_REQUESTS,
        links=(links.to_traces(JOB, failed=True),),
    )


def _durations() -> Graph:
    roles = {0.5: "median", 0.95: "p95", 0.99: "tail"}
    return Graph(
        title="How long do requests take?",
        description="Half, 95 % and 99 % took no longer. The red line is the latency objective. "
        + PAST,
        unit="seconds",
        queries=(
            *(
                Query(
                    queries.duration_quantile(q, SERVICE.labels, WINDOW, OF_INSTANCE),
                    f"p{q * 100:g} {LEGEND}",
                    roles[q],  # type: ignore[arg-type] # a literal, of a dictionary
                    exemplars=True,
                )
                for q in roles
            ),
            Query(service.tail_last_week(OF_SERVICE), f"p99 last week {LEGEND}", "past"),
        ),
        threshold=LATENCY,
        empty=NO_REQUESTS,
        links=(links.to_traces(JOB, slower=SLOWER),),
    )


def _routes() -> Table:
    job, route = links.cell("Service"), links.cell("Route")
    return Table(
        title="Which routes are slow or fail?",
        description="The ten slowest at the end of the range.",
        labels=(("http_route", "Route"), ("job", "Service")),
        columns=(
            Column(
                title="p99",
                expression=service.slowest_routes(WINDOW, OF_ROUTE),
                unit="seconds",
                threshold=LATENCY,
            ),
            Column(
                title="Errors",
                expression=queries.error_ratio(ROUTE.labels, WINDOW, OF_ROUTE),
                unit="ratio",
                threshold=slo.DEFAULTS.errors.ratio,
            ),
            Column(
                title="Requests",
                expression=queries.request_rate(ROUTE.labels, WINDOW, OF_ROUTE),
                unit="requests",
            ),
        ),
        empty=NO_REQUESTS,
        links={
            "http_route": (
                links.to_board(places.ROUTE_DASHBOARD_UID, "Show the route", job=job, route=route),
                links.to_traces(job, route, slower=SLOWER),
                links.to_traces(job, route, failed=True),
            )
        },
    )


def _instances() -> Graph:
    return Graph(
        title="Is it one instance?",
        description="The 99th percentile by instance: one line far above the others is a sick "
        "instance, all lines together are the code, its data or a dependency.",
        unit="seconds",
        queries=(
            Query(
                queries.duration_quantile(0.99, saturation.INSTANCE, WINDOW, OF_INSTANCE),
                "{{job}} {{instance}}",
                exemplars=True,
            ),
        ),
        threshold=LATENCY,
        empty=NO_REQUESTS,
        links=(links.to_traces(JOB, slower=SLOWER),),
    )


def _releases() -> Graph:
    return Graph(
        title="What was released, and when?",
        description="Instances by version, as `OTEL_RESOURCE_ATTRIBUTES=service.version=...` "
        "tells. Two versions at once are a roll-out.",
        unit="number",
        queries=(Query(service.instances_by_release(OF_INSTANCE), "{{job}} {{service_version}}"),),
        empty="No instance is known",
    )


INCIDENT: Final = Board(
    name="incident",
    uid=places.INCIDENT_DASHBOARD_UID,
    title="Incident",
    description="Is it us, who is hit, since when, what changed, which route, which cause.",
    since="now-30m",
    refresh="10s",
    variables=(SERVICES, INSTANCES, ROUTES, WINDOWS, TRACES),
    rows=(
        Row("Is it us?", (causes.firing(), _budget(), _burn())),
        Row("Since when?", (_requests(), _errors(), _durations())),
        Row("Who is hit, and what changed?", (_routes(), _instances(), _releases())),
        Row("Which cause: ourselves?", (causes.culprits(), causes.full(), causes.waits())),
        Row("Which cause: others?", (causes.failing(), causes.slow(), causes.telemetry())),
    ),
)
