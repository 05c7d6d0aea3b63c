"""Dependencies: what services ask of others, of databases and of queues."""

from __future__ import annotations

from typing import Final

from dashboards import causes, links
from dashboards.model import Board, Graph, Query, Row
from dashboards.variables import INSTANCES, OF_INSTANCE, SERVICES, TRACES
from dashboards.words import JOB, SLOWER, WINDOW
from instrumentation.contract import places, slo
from instrumentation.contract.panels import dependencies, saturation, work
from instrumentation.contract.recorded import DEPENDENCY

_SERVER: Final = "{{job}} → {{server_address}}"
_DATABASE: Final = "{{job}} {{db_system_name}} {{db_operation_name}}"
_OPERATION: Final = ("job", "db_system_name", "db_operation_name")
_POOL: Final = ("job", "db_client_connection_pool_name")
_POOL_LEGEND: Final = "{{job}} {{db_client_connection_pool_name}}"
_NO_DATABASE: Final = "No database was asked in this range"
_NO_POOL: Final = "No pool of connections is known"
_NO_QUEUE: Final = "No queue is known"


def _asked() -> Graph:
    return Graph(
        title="How often is each dependency asked?",
        description="Outbound requests a second, each attempt counted; those that end "
        "in `again` are retries.",
        unit="requests",
        queries=(
            Query(dependencies.asked(DEPENDENCY.labels, WINDOW, OF_INSTANCE), _SERVER),
            Query(
                dependencies.retried(DEPENDENCY.labels, WINDOW, OF_INSTANCE),
                f"{_SERVER} again",
                "waiting",
            ),
        ),
        empty="No outbound request in this range",
        links=(links.to_traces(JOB),),
    )


def _operations() -> Graph:
    return Graph(
        title="How often is the database asked?",
        description="Operations a second, by kind.",
        unit="requests",
        queries=(Query(dependencies.operations(_OPERATION, WINDOW, OF_INSTANCE), _DATABASE),),
        empty=_NO_DATABASE,
        links=(links.to_traces(JOB),),
    )


def _operations_slow() -> Graph:
    return Graph(
        title="Which operations are slow?",
        description="95 % took no longer, by kind.",
        unit="seconds",
        queries=(Query(dependencies.database_p95(_OPERATION, WINDOW, OF_INSTANCE), _DATABASE),),
        empty=_NO_DATABASE,
        links=(links.to_traces(JOB, slower=SLOWER),),
    )


def _operations_failed() -> Graph:
    return Graph(
        title="Which operations fail?",
        description="Share of the operations that ended in an error, by kind.",
        unit="ratio",
        queries=(
            Query(dependencies.operations_failed(_OPERATION, WINDOW, OF_INSTANCE), _DATABASE),
        ),
        empty=_NO_DATABASE,
        links=(links.to_traces(JOB, failed=True),),
    )


def _pool() -> Graph:
    return Graph(
        title="Is the connection pool dry?",
        description="Share of the connections that are taken, in the worst instance. At 100 % "
        "callers wait.",
        unit="ratio",
        queries=(Query(saturation.connections_taken(_POOL, OF_INSTANCE), _POOL_LEGEND),),
        empty=_NO_POOL,
        links=(links.to_traces(JOB, slower=SLOWER),),
    )


def _waits() -> Graph:
    return Graph(
        title="How long do callers wait for a connection?",
        description="95 % waited no longer. The line is where the ticket begins.",
        unit="seconds",
        queries=(Query(saturation.connection_wait(_POOL, WINDOW, OF_INSTANCE), _POOL_LEGEND),),
        threshold=slo.DEFAULTS.pool.waited,
        empty="No connection was asked for in this range",
        links=(links.to_traces(JOB, slower=SLOWER),),
    )


def _waiting() -> Graph:
    return Graph(
        title="How many callers wait, and how many gave up?",
        description="Waiting at the moment of a scrape; giving up is counted a second.",
        unit="number",
        queries=(
            Query(saturation.callers_waiting(_POOL, OF_INSTANCE), f"waiting {_POOL_LEGEND}"),
            Query(
                dependencies.gave_up(_POOL, WINDOW, OF_INSTANCE),
                f"gave up {_POOL_LEGEND}",
                "errors",
            ),
        ),
        empty=_NO_POOL,
        links=(links.to_traces(JOB, failed=True),),
    )


def _depth() -> Graph:
    return Graph(
        title="How many jobs wait in each queue?",
        description="Every sender and worker tells the same depth, so the largest is shown.",
        unit="number",
        queries=(Query(work.queue_depth(OF_INSTANCE), "{{queue}}"),),
        threshold=slo.DEFAULTS.queue.min_depth,
        empty=_NO_QUEUE,
    )


def _age() -> Graph:
    return Graph(
        title="How long does the oldest job wait?",
        description="The line is where the ticket begins.",
        unit="seconds",
        queries=(Query(work.queue_age(OF_INSTANCE), "{{queue}}"),),
        threshold=slo.DEFAULTS.queue.oldest,
        empty=_NO_QUEUE,
    )


def _again() -> Graph:
    return Graph(
        title="Which jobs fail?",
        description="Jobs a second that were started again, and that were given up: nobody tries "
        "those again.",
        unit="requests",
        queries=(
            Query(work.queue_retries(WINDOW, OF_INSTANCE), "again {{job}} {{queue}}", "waiting"),
            Query(work.dead_letters(WINDOW, OF_INSTANCE), "given up {{job}} {{queue}}", "errors"),
        ),
        empty=_NO_QUEUE,
    )


DEPENDENCIES: Final = Board(
    name="dependencies",
    uid=places.DEPENDENCIES_DASHBOARD_UID,
    title="Dependencies",
    description="Outbound requests, databases with their pools, and queues.",
    since="now-1h",
    refresh="30s",
    variables=(SERVICES, INSTANCES, TRACES),
    rows=(
        Row("Outbound requests", (_asked(), causes.failing(), causes.slow())),
        Row("Database", (_operations(), _operations_slow(), _operations_failed())),
        Row("Connections", (_pool(), _waits(), _waiting())),
        Row("Queues", (_depth(), _age(), _again())),
    ),
)
