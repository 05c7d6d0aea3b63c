"""Garbage, tasks, background work and queues."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from instrumentation.contract import promql
from instrumentation.contract.metrics import (
    ASYNCIO_EVENT_LOOP_STALLED_SECONDS,
    ASYNCIO_TASKS,
    BACKGROUND_TASK_DURATION,
    BACKGROUND_TASKS_ACTIVE,
    PYTHON_GC_PAUSE,
    TASK_QUEUE_DEAD_LETTERS,
    TASK_QUEUE_DEPTH,
    TASK_QUEUE_OLDEST_AGE,
    TASK_QUEUE_RETRIES,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from instrumentation.contract.metrics import Metric
    from instrumentation.contract.promql import Window

TASK: Final = ("job", "task")
QUEUE: Final = ("job", "queue")
_UNDONE: Final = promql.matches("outcome", "error|lost")


def garbage_paused(by: Sequence[str], window: Window, matchers: Sequence[str]) -> str:
    """Share of the time that the garbage collector stopped the process."""
    return promql.spent(PYTHON_GC_PAUSE, window, by, matchers)


def garbage_pause(by: Sequence[str], window: Window, matchers: Sequence[str]) -> str:
    """99th percentile of the garbage collector's pauses, in seconds."""
    return promql.present(promql.quantile(0.99, PYTHON_GC_PAUSE, window, by, matchers))


def stalled(by: Sequence[str], window: Window, matchers: Sequence[str]) -> str:
    """Share of the time that the loop stood still without its code being to blame, by reason."""
    return promql.rate(ASYNCIO_EVENT_LOOP_STALLED_SECONDS, window, (*by, "reason"), matchers)


def tasks(by: Sequence[str], matchers: Sequence[str]) -> str:
    """Asyncio tasks that are not done."""
    return promql.total(promql.selector(ASYNCIO_TASKS.name, matchers), by)


def background_active(matchers: Sequence[str]) -> str:
    """Background tasks that are running."""
    return promql.total(promql.selector(BACKGROUND_TASKS_ACTIVE.name, matchers), TASK)


def background_duration(window: Window, matchers: Sequence[str]) -> str:
    """95th percentile of the durations of background tasks, in seconds."""
    return promql.present(promql.quantile(0.95, BACKGROUND_TASK_DURATION, window, TASK, matchers))


def background_undone(window: Window, matchers: Sequence[str]) -> str:
    """Share of the background tasks that raised or were lost."""
    whole = promql.observations(BACKGROUND_TASK_DURATION, window, TASK, matchers)
    undone = promql.observations(BACKGROUND_TASK_DURATION, window, TASK, (*matchers, _UNDONE))
    return f"{promql.zero_fill(undone, whole)} / ({whole} > 0)"


def queue_depth(matchers: Sequence[str]) -> str:
    """Jobs that wait in a queue."""
    return _of_queue(TASK_QUEUE_DEPTH, matchers)


def queue_age(matchers: Sequence[str]) -> str:
    """Age in seconds of the oldest job that waits in a queue."""
    return _of_queue(TASK_QUEUE_OLDEST_AGE, matchers)


def queue_retries(window: Window, matchers: Sequence[str]) -> str:
    """Jobs a second that were started again."""
    return promql.rate(TASK_QUEUE_RETRIES, window, QUEUE, matchers)


def dead_letters(window: Window, matchers: Sequence[str]) -> str:
    """Jobs a second that were given up."""
    return promql.rate(TASK_QUEUE_DEAD_LETTERS, window, QUEUE, matchers)


def _of_queue(gauge: Metric, matchers: Sequence[str]) -> str:
    """One value a queue: every sender and worker that sees it tells the same."""
    return f"max by (queue) ({promql.selector(gauge.name, matchers)})"
