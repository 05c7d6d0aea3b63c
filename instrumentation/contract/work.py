"""Questions about work that no request waits for, and about the library's own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from instrumentation.contract import promql
from instrumentation.contract.causes import QUEUE, TASK
from instrumentation.contract.metrics import (
    BACKGROUND_TASK_DURATION,
    INSTRUMENTATION_INTERNAL_ERRORS,
    INSTRUMENTATION_SERIES_OVERFLOW,
    INSTRUMENTATION_SPANS,
    TASK_QUEUE_DEAD_LETTERS,
    TASK_QUEUE_DEPTH,
    TASK_QUEUE_OLDEST_AGE,
)
from instrumentation.contract.recorded import SERVICE, Level

if TYPE_CHECKING:
    from instrumentation.contract.slo import Numbers

METRIC: Final = Level("job_metric", (*SERVICE.labels, "metric"))
PART: Final = Level("job_part", (*SERVICE.labels, "part"))

_LOST_SPANS = promql.matches("outcome", "dropped|failed")


def failing_tasks(numbers: Numbers) -> str:
    """Share of the runs of a background task that raised, where it is large."""
    background = numbers.background
    failed = _runs(numbers, promql.equals("outcome", "error"))
    return promql.every(
        f"{failed} / {_runs(numbers)} > {background.failed:g}",
        f"{failed} >= {background.min_failed:g}",
    )


def lost_tasks(numbers: Numbers) -> str:
    """How many runs of a background task were lost: a shutdown ended them before they were done."""
    return f"{_runs(numbers, promql.equals('outcome', 'lost'))} >= {numbers.background.lost:g}"


def growing_queue(numbers: Numbers) -> str:
    """How many jobs wait in a queue that grows, however many workers there are."""
    queue = numbers.queue
    window = promql.duration(queue.window)
    depth = _of_queue(TASK_QUEUE_DEPTH.name)
    never_empty = _of_queue(f"min_over_time({TASK_QUEUE_DEPTH.name}[{window}])")
    before = _of_queue(f"{TASK_QUEUE_DEPTH.name} offset {window}")
    return promql.every(
        f"{depth} >= {queue.min_depth:g}",
        f"{never_empty} > 0",
        f"{depth} > {queue.growth:g} * {before}",
    )


def waiting_jobs(numbers: Numbers) -> str:
    """Age in seconds of the oldest job that waits in a queue, where it is old."""
    return f"{_of_queue(TASK_QUEUE_OLDEST_AGE.name)} > {numbers.queue.oldest:g}"


def dead_letters(numbers: Numbers) -> str:
    """How many jobs of a queue were given up."""
    queue = numbers.queue
    given_up = promql.events(TASK_QUEUE_DEAD_LETTERS, queue.window, QUEUE.labels)
    return f"{given_up} >= {queue.dead_letters:g}"


def dropped_spans(numbers: Numbers) -> str:
    """Share of the finished spans that never left the service, where it is more than a few."""
    observation, by = numbers.observation, SERVICE.labels
    lost = promql.events(INSTRUMENTATION_SPANS, observation.window, by, (_LOST_SPANS,))
    finished = promql.events(INSTRUMENTATION_SPANS, observation.window, by)
    return promql.every(
        f"{lost} / {finished} > {observation.spans:g}", f"{lost} >= {observation.min_spans:g}"
    )


def overflowing_series(numbers: Numbers) -> str:
    """Observations that were folded into `_overflow`, by the metric that had too many series."""
    window = numbers.observation.window
    return f"{promql.events(INSTRUMENTATION_SERIES_OVERFLOW, window, METRIC.labels)} > 0"


def internal_errors(numbers: Numbers) -> str:
    """Errors inside the instrumentation, by its part."""
    window = numbers.observation.window
    return f"{promql.events(INSTRUMENTATION_INTERNAL_ERRORS, window, PART.labels)} > 0"


def _runs(numbers: Numbers, *matchers: str) -> str:
    return promql.events(BACKGROUND_TASK_DURATION, numbers.background.window, TASK.labels, matchers)


def _of_queue(expression: str) -> str:
    """One value a queue: every worker that sees it tells the same depth, so none is added."""
    return f"max by ({', '.join(QUEUE.labels)}) ({expression})"
