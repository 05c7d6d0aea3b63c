"""Trend: this week beside the ones before, of recorded series only."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from dashboards import links
from dashboards.model import Board, Column, Graph, Query, Role, Row, Stat, Table
from dashboards.variables import OF_SERVICE, ROUTE, ROUTES, SERVICES, TRACES
from instrumentation.contract import places, slo
from instrumentation.contract.panels import objectives, service, trend
from instrumentation.contract.panels.trend import WEEK
from instrumentation.contract.recorded import P50_10M, P95_10M, P99_10M, REQUESTS_5M, SERVICE
from instrumentation.contract.recorded import ROUTE as BY_ROUTE

if TYPE_CHECKING:
    from instrumentation.contract.recorded import Recorded

_DAY: Final = 86_400
_STEP: Final = 6 * 3600
_LEGEND: Final = "{{job}} {{deployment_environment_name}}"
_ROUTES: Final = (*OF_SERVICE, ROUTE)
_SMOOTH: Final = "Each point is the mean of the day before it."
_EMPTY: Final = "Nothing was recorded in this range"
_LEVELS: Final = slo.DEFAULTS.objectives


def _traffic() -> Graph:
    return Graph(
        title="Do more requests come, week by week?",
        description=f"Requests a second; dashed, a week earlier. {_SMOOTH}",
        unit="requests",
        queries=(
            Query(trend.mean(REQUESTS_5M, SERVICE, _DAY, OF_SERVICE), _LEGEND, "requests"),
            Query(
                trend.mean(REQUESTS_5M, SERVICE, _DAY, OF_SERVICE, WEEK),
                f"a week earlier {_LEGEND}",
                "past",
            ),
        ),
        empty=_EMPTY,
        step=_STEP,
    )


def _errors() -> Graph:
    return Graph(
        title="Do more requests fail, week by week?",
        description="Share that was answered with a 5xx; dashed, a week earlier. The line is what "
        f"the objective allows. {_SMOOTH}",
        unit="ratio",
        queries=(
            Query(trend.error_ratio(SERVICE, _DAY, OF_SERVICE), _LEGEND, "errors"),
            Query(
                trend.error_ratio(SERVICE, _DAY, OF_SERVICE, WEEK),
                f"a week earlier {_LEGEND}",
                "past",
            ),
        ),
        threshold=round(1 - _LEVELS.availability, 6),
        empty=_EMPTY,
        step=_STEP,
    )


def _durations() -> Graph:
    lines: tuple[tuple[str, Recorded, Role], ...] = (
        ("p50", P50_10M, "median"),
        ("p95", P95_10M, "p95"),
        ("p99", P99_10M, "tail"),
    )
    return Graph(
        title="Do requests take longer, week by week?",
        description="Means of the percentiles of 10 minutes; dashed, p99 a week earlier. The line "
        f"is the latency objective. {_SMOOTH}",
        unit="seconds",
        queries=(
            *(
                Query(trend.mean(each, SERVICE, _DAY, OF_SERVICE), f"{name} {_LEGEND}", role)
                for name, each, role in lines
            ),
            Query(
                trend.mean(P99_10M, SERVICE, _DAY, OF_SERVICE, WEEK),
                f"p99 a week earlier {_LEGEND}",
                "past",
            ),
        ),
        threshold=_LEVELS.latency,
        empty=_EMPTY,
        step=_STEP,
    )


def _availability() -> Stat:
    return Stat(
        title="Is the availability objective met?",
        description="Share of the requests that did not fail with a 5xx; "
        f"{_LEVELS.availability:.1%} were promised over the longer time.",
        unit="ratio",
        least=_LEVELS.availability,
        queries=(
            Query(objectives.availability_met(OF_SERVICE, WEEK), f"7 days {_LEGEND}"),
            Query(objectives.availability_met(OF_SERVICE, _LEVELS.period), f"28 days {_LEGEND}"),
        ),
        empty=_EMPTY,
    )


def _latency() -> Stat:
    return Stat(
        title="Is the latency objective met?",
        description=f"Share of the requests, those with a 4xx aside, that took no longer than "
        f"{_LEVELS.latency:g} s; {_LEVELS.fast:.0%} were promised over the longer time.",
        unit="ratio",
        least=_LEVELS.fast,
        queries=(
            Query(objectives.latency_met(OF_SERVICE, WEEK), f"7 days {_LEGEND}"),
            Query(objectives.latency_met(OF_SERVICE, _LEVELS.period), f"28 days {_LEGEND}"),
        ),
        empty=_EMPTY,
    )


def _regressions() -> Table:
    return Table(
        title="Which routes slowed most?",
        description="By how much this week's p99 exceeds last week's; 100 % is twice as long. "
        "Routes with too few requests to tell are left out.",
        labels=(("http_route", "Route"), ("job", "Service")),
        columns=(
            Column(
                title="p99 grew by",
                expression=trend.regressions(P99_10M, _ROUTES),
                unit="ratio",
                threshold=round(slo.DEFAULTS.tail.unusual - 1, 6),
            ),
        ),
        empty="No route slowed, or there is no week to compare with",
        links=_LINKS,
    )


def _by_route() -> Table:
    changes = (("Requests", REQUESTS_5M), ("p50", P50_10M), ("p95", P95_10M), ("p99", P99_10M))
    return Table(
        title="How does each route compare with a week ago?",
        description="This week's mean divided by last week's, less one: 50 % is half as much "
        "again. The shares of failed requests are as they were.",
        labels=(("http_route", "Route"), ("job", "Service")),
        columns=(
            Column(
                title="Requests a second",
                expression=trend.mean(REQUESTS_5M, BY_ROUTE, WEEK, _ROUTES),
                unit="requests",
            ),
            *(
                Column(
                    title=f"{name} changed by",
                    expression=trend.change(each, BY_ROUTE, _ROUTES),
                    unit="ratio",
                )
                for name, each in changes
            ),
            Column(
                title="Failed this week",
                expression=trend.error_ratio(BY_ROUTE, WEEK, _ROUTES),
                unit="ratio",
                threshold=round(1 - _LEVELS.availability, 6),
            ),
            Column(
                title="Failed last week",
                expression=trend.error_ratio(BY_ROUTE, WEEK, _ROUTES, WEEK),
                unit="ratio",
                threshold=round(1 - _LEVELS.availability, 6),
            ),
        ),
        empty=_EMPTY,
        links=_LINKS,
    )


_LINKS: Final = {
    "http_route": (
        links.to_board(
            places.ROUTE_DASHBOARD_UID,
            "Show the route",
            job=links.cell("Service"),
            route=links.cell("Route"),
        ),
        links.to_traces(links.cell("Service"), links.cell("Route")),
    )
}

TREND: Final = Board(
    name="trend",
    uid=places.TREND_DASHBOARD_UID,
    title="Trend",
    description="Week over week: traffic, durations, errors, objectives, and what got slower.",
    since="now-28d",
    refresh="",
    variables=(SERVICES, ROUTES, TRACES),
    releases=service.releases(OF_SERVICE, _DAY, 600),
    rows=(
        Row("Week by week", (_traffic(), _errors(), _durations())),
        Row("Objectives and regressions", (_availability(), _latency(), _regressions())),
        Row("Routes", (_by_route(),), height=12),
    ),
)
