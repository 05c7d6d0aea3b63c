"""Causes: what makes requests slow or fail. Tickets that never page; pages name those that fire."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from alerts import words
from alerts.model import Alert, Group, Record
from instrumentation.contract import causes
from instrumentation.contract.causes import CONNECTION_POOL, THREAD_POOL
from instrumentation.contract.recorded import (
    DEPENDENCY,
    DEPENDENCY_P95_5M,
    ROUTE,
    SERVICE,
    Level,
)

if TYPE_CHECKING:
    from instrumentation.contract.slo import Numbers

_HELD = words.first(
    causes.worst_culprit("job=%q"),
    " {{ .Labels.http_route }} held it longest, at {{ .Labels.culprit }}.",
)
_OF_POOL = ("job=%q", "db_client_connection_pool_name=%q")
_POOL = "{{ $labels.db_client_connection_pool_name }}"
_SERVER = "{{ $labels.server_address }}"


def groups(numbers: Numbers) -> tuple[Group, ...]:
    """Open tickets for what stands still, is exhausted, fails or is slow below a request."""
    rules: tuple[Record | Alert, ...] = (
        Record(DEPENDENCY_P95_5M.at(DEPENDENCY), causes.dependency_p95(numbers.dependency.window)),
        *_loop(numbers),
        _threads(numbers),
        *_pool(numbers),
        *_dependency(numbers),
        _garbage(numbers),
    )
    return (Group("causes", numbers.intervals.evaluation, rules),)


def _loop(numbers: Numbers) -> tuple[Alert, ...]:
    loop = numbers.loop
    return (
        _cause(
            name=causes.BLOCKED,
            expression=causes.blocked_loop(numbers),
            wait=loop.wait,
            level=SERVICE,
            summary="The event loop of {{ $labels.job }} stands still too often",
            description="One instance's event loop stood still for {{ $value | "
            f"humanizePercentage }}}} of the last {words.span(loop.window)}, more than "
            f"{words.percent(loop.blocked)}, and every request in it waited.{_HELD}",
        ),
        _cause(
            name="EndpointBlocksEventLoop",
            expression=causes.blocking_endpoint(numbers),
            wait=loop.wait,
            level=ROUTE,
            summary="{{ $labels.http_route }} of {{ $labels.job }} blocks the event loop",
            description="One in a hundred of the stretches in which it held the event loop took "
            f"{{{{ $value | humanizeDuration }}}} or longer over the last "
            f"{words.span(loop.endpoint_window)}, more than {loop.endpoint:g} s. Each delays "
            "every other request of the process.",
        ),
    )


def _threads(numbers: Numbers) -> Alert:
    threads = numbers.threads
    return _cause(
        name="ThreadPoolSaturated",
        expression=causes.saturated_threads(numbers),
        wait=threads.wait,
        level=THREAD_POOL,
        summary="The thread pool {{ $labels.pool }} of {{ $labels.job }} has no free thread",
        description=_waiting("call", threads.waited, threads.queued)
        + _figures(
            causes.thread_wait(threads.window, "job=%q", "pool=%q"),
            causes.threads_wanted("job=%q", "pool=%q"),
            "$labels.pool",
        )
        + " Sync endpoints and dependencies share the pool.",
    )


def _pool(numbers: Numbers) -> tuple[Alert, ...]:
    pool = numbers.pool
    return (
        _cause(
            name="ConnectionPoolExhausted",
            expression=causes.exhausted_pool(numbers),
            wait=pool.wait,
            level=CONNECTION_POOL,
            summary=f"The connection pool {_POOL} of {{{{ $labels.job }}}} has none free",
            description=_waiting("caller", pool.waited, pool.queued)
            + _figures(
                causes.connection_wait(pool.window, *_OF_POOL),
                causes.connections_wanted(*_OF_POOL),
                "$labels.db_client_connection_pool_name",
            ),
        ),
        _cause(
            name="ConnectionPoolTimeouts",
            expression=causes.pool_timeouts(numbers),
            wait=pool.wait,
            level=CONNECTION_POOL,
            summary=f"Callers give up on the connection pool {_POOL} of {{{{ $labels.job }}}}",
            description="{{ $value | humanize }} callers gave up waiting for a connection over "
            f"the last {words.span(pool.window)}. Each is a request that failed.",
        ),
    )


def _dependency(numbers: Numbers) -> tuple[Alert, ...]:
    dependency = numbers.dependency
    window = words.span(dependency.window)
    return (
        _cause(
            name="DependencyFailing",
            expression=causes.failing_dependency(numbers),
            wait=dependency.wait,
            level=DEPENDENCY,
            summary=f"{_SERVER} fails requests of {{{{ $labels.job }}}}",
            description="{{ $value | humanizePercentage }} of the requests to it failed over "
            f"{window}, more than {words.percent(dependency.failed)}. The caller's own mistakes "
            "(4xx but 429) are not counted.",
        ),
        _cause(
            name="DependencySlow",
            expression=causes.slow_dependency(numbers),
            wait=dependency.wait,
            level=DEPENDENCY,
            summary=f"{_SERVER} answers {{{{ $labels.job }}}} slowly",
            description="Every twentieth request to it took {{ $value | humanizeDuration }} or "
            f"longer over {window}, more than {dependency.slow:g} s, and more than "
            f"{dependency.slower:g} times the usual time where one is known.",
        ),
        _cause(
            name="RetriesStorming",
            expression=causes.storming_retries(numbers),
            wait=dependency.wait,
            level=DEPENDENCY,
            summary=f"{{{{ $labels.job }}}} retries its requests to {_SERVER} too often",
            description="{{ $value | humanizePercentage }} as many retries as requests over "
            f"{window}, more than {words.percent(dependency.retried)}: they load what is failing "
            "already.",
        ),
    )


def _garbage(numbers: Numbers) -> Alert:
    garbage = numbers.garbage
    return _cause(
        name="GarbageCollectorPauses",
        expression=causes.garbage_pauses(numbers),
        wait=garbage.wait,
        level=SERVICE,
        summary="The garbage collector stops {{ $labels.job }} too long",
        description="It stopped one instance for {{ $value | humanizePercentage }} of the last "
        f"{words.span(garbage.window)}, more than {words.percent(garbage.paused)}.",
    )


def _waiting(who: str, seconds: float, window: float) -> str:
    return (
        f"Every twentieth {who} waits longer than {seconds:g} s, or some wait at every scrape of "
        f"{words.span(window)}."
    )


def _figures(p95: str, waiting: str, pool: str) -> str:
    """What the two halves of the condition say now, each where it has a value."""
    arguments = f"$labels.job {pool}"
    took = " The twentieth wait is {{ . | value | humanizeDuration }} or longer."
    count = " {{ . | value | humanize }} wait now."
    return words.first(p95, took, arguments) + words.first(waiting, count, arguments)


def _cause(level: Level, **rule: Any) -> Alert:
    return Alert(severity="warning", kind="cause", level=level, **rule)
