"""Every metric that the bundle knows: name, kind, labels and buckets.

Names are those of OpenTelemetry's semantic conventions 1.44 as Prometheus spells them. A name
that is not here does not exist.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from instrumentation.contract import buckets

Kind = Literal["counter", "gauge", "histogram"]
Across = Literal["sum", "max"]


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric family.

    `name` is the name that a query uses; a counter's ends in `_total`, a duration's in
    `_seconds`. `across` says what a gauge's values in several processes of one service make
    together: connections add up, but the depth of a queue that each of them reads does not.
    `limit` is the most label combinations that a process keeps, where they are fewer than
    `INSTRUMENTATION_SERIES_LIMIT` allows for every family.
    """

    name: str
    kind: Kind
    help: str
    labels: tuple[str, ...] = ()
    buckets: tuple[float, ...] = ()
    across: Across = "sum"
    limit: int | None = None

    def __post_init__(self) -> None:
        """Raise ValueError where kind, name and buckets contradict each other."""
        if (self.kind == "histogram") != bool(self.buckets):
            raise ValueError(f"{self.name}: a histogram has buckets, nothing else does")
        if (self.kind == "counter") != self.name.endswith("_total"):
            raise ValueError(f"{self.name}: a counter ends in _total, nothing else does")


_POOL = ("db_client_connection_pool_name",)
_HTTP = ("http_request_method", "http_route")
_CULPRITS = 100

HTTP_SERVER_REQUEST_DURATION: Final = Metric(
    "http_server_request_duration_seconds",
    "histogram",
    "Duration of HTTP server requests, until the last byte of the response was handed over.",
    (*_HTTP, "http_response_status_code", "url_scheme", "error_type"),
    buckets.DENSE,
)
HTTP_SERVER_ACTIVE_REQUESTS: Final = Metric(
    "http_server_active_requests",
    "gauge",
    "HTTP server requests in progress.",
    ("http_request_method", "url_scheme"),
)
HTTP_SERVER_ABORTED_REQUESTS: Final = Metric(
    "http_server_aborted_requests_total",
    "counter",
    "Requests whose client left before the last byte of the response was handed over.",
    _HTTP,
)
WEBSOCKET_CONNECTION_DURATION: Final = Metric(
    "websocket_connection_duration_seconds",
    "histogram",
    "Duration of WebSocket connections.",
    ("http_route", "close_code"),
    buckets.CONNECTION,
)
WEBSOCKET_MESSAGES: Final = Metric(
    "websocket_messages_total",
    "counter",
    "WebSocket messages, by direction (received or sent).",
    ("http_route", "direction"),
)
HTTP_CLIENT_REQUEST_DURATION: Final = Metric(
    "http_client_request_duration_seconds",
    "histogram",
    "Duration of outbound HTTP requests, until the response's headers arrived.",
    (
        "http_request_method", "server_address", "server_port", "http_response_status_code",
        "error_type",
    ),
    buckets.DURATION,
)  # fmt: skip
HTTP_CLIENT_RETRIES: Final = Metric(
    "http_client_retries_total",
    "counter",
    "Outbound HTTP requests that were sent again.",
    ("server_address", "reason"),
)
DB_CLIENT_OPERATION_DURATION: Final = Metric(
    "db_client_operation_duration_seconds",
    "histogram",
    "Duration of database operations.",
    ("db_system_name", "db_operation_name", "error_type"),
    buckets.DURATION,
)
DB_CLIENT_CONNECTION_COUNT: Final = Metric(
    "db_client_connection_count",
    "gauge",
    "Connections of a pool, by state (idle or used).",
    (*_POOL, "db_client_connection_state"),
)
DB_CLIENT_CONNECTION_MAX: Final = Metric(
    "db_client_connection_max", "gauge", "Most connections that a pool may open.", _POOL
)
DB_CLIENT_CONNECTION_PENDING: Final = Metric(
    "db_client_connection_pending_requests",
    "gauge",
    "Callers that wait for a connection of a pool.",
    _POOL,
)
DB_CLIENT_CONNECTION_CREATE_TIME: Final = Metric(
    "db_client_connection_create_time_seconds",
    "histogram",
    "Time to open a new connection.",
    _POOL,
    buckets.DURATION,
)
DB_CLIENT_CONNECTION_WAIT_TIME: Final = Metric(
    "db_client_connection_wait_time_seconds",
    "histogram",
    "Time that a caller waited for a connection.",
    _POOL,
    buckets.DURATION,
)
DB_CLIENT_CONNECTION_USE_TIME: Final = Metric(
    "db_client_connection_use_time_seconds",
    "histogram",
    "Time between borrowing a connection and returning it.",
    _POOL,
    buckets.DURATION,
)
DB_CLIENT_CONNECTION_TIMEOUTS: Final = Metric(
    "db_client_connection_timeouts_total",
    "counter",
    "Callers that gave up waiting for a connection.",
    _POOL,
)
ASYNCIO_EVENT_LOOP_LAG: Final = Metric(
    "asyncio_event_loop_lag_seconds",
    "histogram",
    "How much later than asked the event loop ran a callback.",
    (),
    buckets.PAUSE,
)
ASYNCIO_EVENT_LOOP_BLOCKED: Final = Metric(
    "asyncio_event_loop_blocked_seconds",
    "histogram",
    "Stretches in which the event loop did not turn, by the route that held it.",
    ("http_route",),
    buckets.DURATION,
)
ASYNCIO_EVENT_LOOP_CULPRIT_SECONDS: Final = Metric(
    "asyncio_event_loop_culprit_seconds_total",
    "counter",
    "Seconds in which a line of code held the event loop.",
    ("http_route", "culprit"),
    limit=_CULPRITS,
)
ASYNCIO_EVENT_LOOP_CULPRIT_BLOCKS: Final = Metric(
    "asyncio_event_loop_culprit_blocks_total",
    "counter",
    "How often a line of code held the event loop.",
    ("http_route", "culprit"),
    limit=_CULPRITS,
)
ASYNCIO_EVENT_LOOP_STALLED_SECONDS: Final = Metric(
    "asyncio_event_loop_stalled_seconds_total",
    "counter",
    "Seconds in which the event loop stood still without its code being to blame, by reason.",
    ("reason",),
)
ASYNCIO_TASKS: Final = Metric("asyncio_tasks", "gauge", "Tasks that are not done.")
THREAD_POOL_THREADS: Final = Metric(
    "thread_pool_threads", "gauge", "Threads of a pool: its limit and those used.",
    ("pool", "state"),
)  # fmt: skip
THREAD_POOL_WAITING: Final = Metric(
    "thread_pool_waiting", "gauge", "Calls that wait for a thread.", ("pool",)
)
THREAD_POOL_WAIT: Final = Metric(
    "thread_pool_wait_seconds",
    "histogram",
    "Time that a call waited for a thread.",
    ("pool", "http_route"),
    buckets.DURATION,
)
THREAD_POOL_WORK: Final = Metric(
    "thread_pool_work_seconds",
    "histogram",
    "Time that a call held a thread.",
    ("pool", "http_route"),
    buckets.DURATION,
)
PYTHON_GC_PAUSE: Final = Metric(
    "python_gc_pause_seconds",
    "histogram",
    "Time that a run of the garbage collector took.",
    ("generation",),
    buckets.PAUSE,
)
BACKGROUND_TASKS_ACTIVE: Final = Metric(
    "background_tasks_active", "gauge", "Background tasks that are running.", ("task",)
)
BACKGROUND_TASK_DURATION: Final = Metric(
    "background_task_duration_seconds",
    "histogram",
    "Duration of background tasks, by outcome (ok, error, cancelled or lost).",
    ("task", "outcome"),
    buckets.DURATION,
)
TASK_QUEUE_DEPTH: Final = Metric(
    "task_queue_depth", "gauge", "Jobs that wait.", ("queue",), across="max"
)
TASK_QUEUE_OLDEST_AGE: Final = Metric(
    "task_queue_oldest_age_seconds",
    "gauge",
    "Age of the oldest job that waits.",
    ("queue",),
    across="max",
)
TASK_QUEUE_RETRIES: Final = Metric(
    "task_queue_retries_total", "counter", "Jobs that were started again.", ("queue",)
)
TASK_QUEUE_DEAD_LETTERS: Final = Metric(
    "task_queue_dead_letters_total", "counter", "Jobs that were given up.", ("queue",)
)
INSTRUMENTATION_SPANS: Final = Metric(
    "instrumentation_spans_total",
    "counter",
    "Finished spans, by what became of them (exported, dropped or failed).",
    ("outcome",),
)
INSTRUMENTATION_SPAN_QUEUE_SIZE: Final = Metric(
    "instrumentation_span_queue_size", "gauge", "Finished spans that wait for export."
)
INSTRUMENTATION_INTERNAL_ERRORS: Final = Metric(
    "instrumentation_internal_errors_total",
    "counter",
    "Errors inside the instrumentation, which no request ever saw.",
    ("part",),
)
INSTRUMENTATION_SERIES_OVERFLOW: Final = Metric(
    "instrumentation_series_overflow_total",
    "counter",
    "Observations folded into _overflow because a family had reached its series limit.",
    ("metric",),
)

ALL: Final = tuple(value for value in tuple(vars().values()) if isinstance(value, Metric))
"""The whole contract, in the order above."""

EXTERNAL: Final = (
    "up",
    "target_info",
    "python_info",
    "process_cpu_seconds_total",
    "process_resident_memory_bytes",
    "process_virtual_memory_bytes",
    "process_start_time_seconds",
    "process_open_fds",
    "process_max_fds",
)
"""Names that others define and that the contract relies on."""
