"""Panels that tell why a service is slow or fails."""

from __future__ import annotations

from dashboards import links
from dashboards.model import Column, Graph, Query, Table
from dashboards.variables import OF_INSTANCE, OF_SERVICE
from dashboards.words import JOB, SLOWER, WINDOW
from instrumentation.contract import promql, slo
from instrumentation.contract.panels import dependencies, objectives, saturation, service
from instrumentation.contract.recorded import DEPENDENCY


def firing() -> Table:
    """Show what fires."""
    return Table(
        title="Which alerts fire, and since when?",
        description="Every page (critical) and ticket (warning) of the chosen services that fires, "
        "or fired in this range and is over. Its message in Alertmanager names the cause and links "
        "to the runbook.",
        labels=(
            ("alertname", "Alert"),
            ("severity", "Severity"),
            ("job", "Service"),
            ("http_route", "Route"),
        ),
        columns=(
            Column(title="Fires", expression=objectives.fires(OF_SERVICE), unit="state"),
            Column(title="Since", expression=objectives.firing_since(OF_SERVICE), unit="since"),
        ),
        empty="No page and no ticket fires, and none did in this range",
    )


def culprits() -> Table:
    """Name the lines that hold the event loop."""
    job, route = links.cell("Service"), links.cell("Route")
    return Table(
        title="Which line of code blocks the event loop?",
        description="Seconds of the range in which it held the loop, and with it every request of "
        "the process.",
        labels=(("culprit", "Line"), ("http_route", "Route"), ("job", "Service")),
        columns=(
            Column(
                title="Held",
                expression=saturation.culprit_seconds(promql.RANGE, OF_INSTANCE),
                unit="seconds",
            ),
        ),
        empty="Nothing blocked an event loop in this range",
        links={"http_route": (links.to_traces(job, route),)},
    )


def full() -> Graph:
    """Show what is taken of threads, connections and the loop."""
    return Graph(
        title="Are threads, connections or the event loop used up?",
        description="Share that is taken in the worst instance; of the event loop, the share of "
        "the time in which it stood still. At 100 % of threads or connections, callers wait.",
        unit="ratio",
        queries=(
            Query(
                saturation.threads_taken(("job", "pool"), OF_INSTANCE), "threads {{job}} {{pool}}"
            ),
            Query(
                saturation.connections_taken(
                    ("job", "db_client_connection_pool_name"), OF_INSTANCE
                ),
                "connections {{job}} {{db_client_connection_pool_name}}",
            ),
            Query(saturation.loop_blocked(("job",), WINDOW, OF_INSTANCE), "loop {{job}}", "errors"),
        ),
        empty="Nothing of it is measured for the chosen services",
    )


def waits() -> Graph:
    """Show how long is waited for them."""
    return Graph(
        title="How long do requests wait for them?",
        description="95 % waited no longer for a thread or a connection; the event loop was no "
        "later in 99 %. The line is where the tickets begin.",
        unit="seconds",
        queries=(
            Query(
                saturation.thread_wait(("job", "pool"), WINDOW, OF_INSTANCE),
                "thread {{job}} {{pool}}",
            ),
            Query(
                saturation.connection_wait(
                    ("job", "db_client_connection_pool_name"), WINDOW, OF_INSTANCE
                ),
                "connection {{job}} {{db_client_connection_pool_name}}",
            ),
            Query(saturation.loop_lag(("job",), WINDOW, OF_INSTANCE), "loop {{job}}", "errors"),
        ),
        threshold=slo.DEFAULTS.threads.waited,
        empty="Nothing was waited for in this range",
    )


def failing() -> Graph:
    """Show the dependencies that fail."""
    return Graph(
        title="Which dependency fails?",
        description="Share of the outbound requests that got a 5xx, a 429 or no answer. The line "
        "is where the ticket begins.",
        unit="ratio",
        queries=(
            Query(
                dependencies.failed(DEPENDENCY.labels, WINDOW, OF_INSTANCE),
                "{{job}} → {{server_address}}",
            ),
        ),
        threshold=slo.DEFAULTS.dependency.failed,
        empty="No outbound request in this range",
        links=(links.to_traces(JOB, failed=True),),
    )


def slow() -> Graph:
    """Show the dependencies that are slow."""
    return Graph(
        title="Which dependency is slow?",
        description="95 % of the outbound requests and of the database's operations took no "
        "longer. The line is where the ticket begins, for outbound requests.",
        unit="seconds",
        queries=(
            Query(
                dependencies.p95(DEPENDENCY.labels, WINDOW, OF_INSTANCE),
                "{{job}} → {{server_address}}",
            ),
            Query(
                dependencies.database_p95(("job", "db_system_name"), WINDOW, OF_INSTANCE),
                "{{job}} → {{db_system_name}}",
            ),
        ),
        threshold=slo.DEFAULTS.dependency.slow,
        empty="No dependency was asked in this range",
        links=(links.to_traces(JOB, slower=SLOWER),),
    )


def telemetry() -> Graph:
    """Show whether missing data mean anything."""
    return Graph(
        title="Is the telemetry alive?",
        description="1 while every instance answers its scrapes. While the collector is down, "
        "silence of a service says nothing.",
        unit="number",
        queries=(Query(service.telemetry_up(), "{{job}}"),),
        empty="Prometheus scrapes no part of the telemetry",
    )
