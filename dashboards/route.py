"""Route: one route, or a few, from its rate down to its traces."""

from __future__ import annotations

from typing import Final

from dashboards import links
from dashboards.model import Board, Column, Graph, Query, Role, Row, Table
from dashboards.variables import (
    INSTANCES,
    OF_ROUTE,
    ROUTES,
    SERVICES,
    TRACES,
)
from dashboards.words import JOB, LATENCY, NO_REQUESTS, SLOWER, WINDOW
from instrumentation.contract import places, promql, queries, slo
from instrumentation.contract.panels import saturation, service
from instrumentation.contract.recorded import ROUTE as BY_ROUTE

_LEGEND: Final = "{{http_route}} {{job}} {{deployment_environment_name}}"
_SHORT: Final = "{{http_route}} {{job}}"
_ROUTE: Final = links.line("http_route")
_STATUS: Final = ("job", "http_response_status_code")
_METHOD: Final = ("job", "http_request_method")


def _requests() -> Graph:
    return Graph(
        title="How many requests come?",
        description="Requests a second, all methods together.",
        unit="requests",
        queries=(Query(queries.request_rate(BY_ROUTE.labels, WINDOW, OF_ROUTE), _LEGEND),),
        empty=NO_REQUESTS,
        links=(links.to_traces(JOB, _ROUTE),),
    )


def _errors() -> Graph:
    return Graph(
        title="Which share fails?",
        description="Answered with a 5xx. The line is where the ticket begins.",
        unit="ratio",
        queries=(Query(queries.error_ratio(BY_ROUTE.labels, WINDOW, OF_ROUTE), _LEGEND),),
        threshold=slo.DEFAULTS.errors.ratio,
        empty=NO_REQUESTS,
        links=(links.to_traces(JOB, _ROUTE, failed=True),),
    )


def _durations(q: float, role: Role) -> Graph:
    return Graph(
        title=f"How long do {q:.0%} of the requests take at most?",
        description=f"p{q * 100:g}. The line is the latency objective.",
        unit="seconds",
        queries=(
            Query(
                queries.duration_quantile(q, BY_ROUTE.labels, WINDOW, OF_ROUTE),
                _LEGEND,
                role,
                exemplars=True,
            ),
        ),
        threshold=LATENCY,
        empty=NO_REQUESTS,
        links=(links.to_traces(JOB, _ROUTE, slower=SLOWER),),
    )


def _by(title: str, label: str, by: tuple[str, ...]) -> Graph:
    return Graph(
        title=title,
        description="Requests a second of the chosen routes together.",
        unit="requests",
        queries=(
            Query(queries.request_rate(by, WINDOW, OF_ROUTE), f"{{{{{label}}}}} {{{{job}}}}"),
        ),
        empty=NO_REQUESTS,
        links=(links.to_traces(JOB),),
    )


def _slow() -> Graph:
    return Graph(
        title="Which share is slower than the objective?",
        description=f"Took longer than {LATENCY:g} s. The line is what the objective allows.",
        unit="ratio",
        queries=(Query(queries.slow_ratio(BY_ROUTE.labels, WINDOW, OF_ROUTE), _LEGEND),),
        threshold=round(1 - slo.DEFAULTS.objectives.fast, 6),
        empty=NO_REQUESTS,
        links=(links.to_traces(JOB, _ROUTE, slower=SLOWER),),
    )


def _aborted() -> Graph:
    return Graph(
        title="Do clients leave before the answer?",
        description="Requests a second whose client left first: its patience or its timeout ended.",
        unit="requests",
        queries=(Query(service.aborted(("job", "http_route"), WINDOW, OF_ROUTE), _SHORT),),
        empty="No client left in this range",
        links=(links.to_traces(JOB, _ROUTE),),
    )


def _instances() -> Graph:
    return Graph(
        title="On which instance is it slow?",
        description="p99 of the chosen routes by instance. One line far above the others is a sick "
        "instance.",
        unit="seconds",
        queries=(
            Query(
                queries.duration_quantile(0.99, saturation.INSTANCE, WINDOW, OF_ROUTE),
                "{{job}} {{instance}}",
                exemplars=True,
            ),
        ),
        threshold=LATENCY,
        empty=NO_REQUESTS,
        links=(links.to_traces(JOB, slower=SLOWER),),
    )


def _culprits() -> Table:
    job, route = links.cell("Service"), links.cell("Route")
    return Table(
        title="Does it block the event loop, and where?",
        description="Seconds of the range in which a line of the route's code held the loop, and "
        "how often.",
        labels=(("culprit", "Line"), ("http_route", "Route"), ("job", "Service")),
        columns=(
            Column(
                title="Held",
                expression=saturation.culprit_seconds(promql.RANGE, OF_ROUTE),
                unit="seconds",
            ),
            Column(
                title="Times",
                expression=saturation.culprit_blocks(promql.RANGE, OF_ROUTE),
                unit="number",
            ),
        ),
        empty="These routes blocked no event loop in this range",
        links={"http_route": (links.to_traces(job, route),)},
    )


def _threads() -> Graph:
    return Graph(
        title="Does it wait for a thread?",
        description="95 % of the route's calls waited no longer. The line is where the ticket "
        "begins.",
        unit="seconds",
        queries=(Query(saturation.thread_wait(("job", "http_route"), WINDOW, OF_ROUTE), _SHORT),),
        threshold=slo.DEFAULTS.threads.waited,
        empty="These routes use no threads",
        links=(links.to_traces(JOB, _ROUTE, slower=SLOWER),),
    )


ROUTE_BOARD: Final = Board(
    name="route",
    uid=places.ROUTE_DASHBOARD_UID,
    title="Route",
    description="One route, or a few: rate, errors, durations, and what holds it.",
    since="now-1h",
    refresh="30s",
    variables=(SERVICES, INSTANCES, ROUTES, TRACES),
    rows=(
        Row("Rate and errors", (_requests(), _errors(), _slow())),
        Row(
            "Duration",
            (_durations(0.5, "median"), _durations(0.95, "p95"), _durations(0.99, "tail")),
        ),
        Row(
            "Who is hit?",
            (
                _by("Which statuses are answered?", "http_response_status_code", _STATUS),
                _by("Which methods are asked?", "http_request_method", _METHOD),
                _instances(),
            ),
        ),
        Row("Why?", (_culprits(), _threads(), _aborted())),
    ),
)
