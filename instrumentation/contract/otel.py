"""The contract's names as OpenTelemetry spells them, for what is sent over OTLP.

A Prometheus that receives them translates back: dots become underscores, the unit and `_total`
are appended. So a series has the same name whichever way it came.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from instrumentation.contract import metrics

_NAMESPACES: Final = (
    "http.server.request",
    "http.server",
    "http.client.request",
    "http.client",
    "websocket.connection",
    "websocket",
    "db.client.operation",
    "db.client.connection",
    "asyncio.event_loop",
    "asyncio",
    "thread_pool",
    "python.gc",
    "background_tasks",
    "background_task",
    "task_queue",
    "instrumentation",
)
"""What stands before the last part of a name; the longer of two comes first."""

_ATTRIBUTES: Final = (
    "http.request.method",
    "http.response.status_code",
    "http.route",
    "url.scheme",
    "error.type",
    "server.address",
    "server.port",
    "db.system.name",
    "db.operation.name",
    "db.client.connection.pool.name",
    "db.client.connection.state",
)
_BY_LABEL: Final = {name.replace(".", "_"): name for name in _ATTRIBUTES}
_NUMBERS: Final = ("http.response.status_code", "server.port")

_COUNTED: Final = {
    metrics.HTTP_SERVER_ACTIVE_REQUESTS: "{request}",
    metrics.HTTP_SERVER_ABORTED_REQUESTS: "{request}",
    metrics.WEBSOCKET_MESSAGES: "{message}",
    metrics.HTTP_CLIENT_RETRIES: "{request}",
    metrics.DB_CLIENT_CONNECTION_COUNT: "{connection}",
    metrics.DB_CLIENT_CONNECTION_MAX: "{connection}",
    metrics.DB_CLIENT_CONNECTION_PENDING: "{request}",
    metrics.DB_CLIENT_CONNECTION_TIMEOUTS: "{timeout}",
    metrics.ASYNCIO_EVENT_LOOP_CULPRIT_BLOCKS: "{block}",
    metrics.ASYNCIO_TASKS: "{task}",
    metrics.THREAD_POOL_THREADS: "{thread}",
    metrics.THREAD_POOL_WAITING: "{call}",
    metrics.BACKGROUND_TASKS_ACTIVE: "{task}",
    metrics.TASK_QUEUE_DEPTH: "{job}",
    metrics.TASK_QUEUE_RETRIES: "{job}",
    metrics.TASK_QUEUE_DEAD_LETTERS: "{job}",
    metrics.INSTRUMENTATION_SPANS: "{span}",
    metrics.INSTRUMENTATION_SPAN_QUEUE_SIZE: "{span}",
    metrics.INSTRUMENTATION_INTERNAL_ERRORS: "{error}",
    metrics.INSTRUMENTATION_SERIES_OVERFLOW: "{observation}",
}
_BY_NAME: Final = {metric.name.removesuffix("_total"): metric for metric in metrics.ALL}
_SUFFIXES: Final = {"_seconds": "s", "_bytes": "By"}


@lru_cache(maxsize=1024)
def name_and_unit(family: str) -> tuple[str, str]:
    """The OpenTelemetry name and unit of a family, named without `_total`.

    One that is not in the contract keeps its name, and has the unit that this ends with: the
    translation back appends no unit that is there already.
    """
    metric = _BY_NAME.get(family)
    suffix = next((each for each in _SUFFIXES if family.endswith(each)), "")
    if metric is None:
        return family, _SUFFIXES.get(suffix, "")
    name = family.removesuffix(suffix)
    for namespace in _NAMESPACES:
        first = namespace.replace(".", "_") + "_"
        if name.startswith(first):
            name = f"{namespace}.{name.removeprefix(first)}"
            break
    return name, _SUFFIXES.get(suffix, _COUNTED.get(metric, ""))


def adds_up(family: str) -> bool:
    """Whether the values of several processes make one sum: then it is an UpDownCounter."""
    metric = _BY_NAME.get(family)
    return metric is not None and metric.kind == "gauge" and metric.across == "sum"


def attribute(label: str, value: str) -> tuple[str, str | int]:
    """A label as an attribute, with the type that the conventions give it."""
    name = _BY_LABEL.get(label, label)
    if name in _NUMBERS and value.isdecimal():
        return name, int(value)
    return name, value
