"""Work behind the requests: background tasks, queues, and what the library itself loses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from alerts import words
from alerts.model import Alert, Group
from instrumentation.contract import work
from instrumentation.contract.causes import QUEUE, TASK
from instrumentation.contract.recorded import SERVICE, Level
from instrumentation.contract.work import METRIC, PART

if TYPE_CHECKING:
    from instrumentation.contract.slo import Numbers

_TASK = "{{ $labels.task }} of {{ $labels.job }}"
_QUEUE = "{{ $labels.queue }} of {{ $labels.job }}"


def groups(numbers: Numbers) -> tuple[Group, ...]:
    """Open tickets for work that fails, is lost or piles up where no request waits for it."""
    rules = (*_tasks(numbers), *_queues(numbers), *_observation(numbers))
    return (Group("work", numbers.intervals.evaluation, rules),)


def _tasks(numbers: Numbers) -> tuple[Alert, ...]:
    background = numbers.background
    window = words.span(background.window)
    return (
        _cause(
            name="BackgroundTasksFailing",
            expression=work.failing_tasks(numbers),
            wait=background.wait,
            level=TASK,
            summary=f"The background task {_TASK} fails",
            description=f"{{{{ $value | humanizePercentage }}}} of its runs over {window} raised "
            f"an exception, more than {words.percent(background.failed)}. No user was told.",
        ),
        _cause(
            name="BackgroundTasksLost",
            expression=work.lost_tasks(numbers),
            wait=background.wait,
            level=TASK,
            summary=f"The background task {_TASK} was lost",
            description="Runs that a shutdown ended before they were done, over the last "
            f"{window}: {{{{ $value | humanize }}}}. Nobody does them again.",
        ),
    )


def _queues(numbers: Numbers) -> tuple[Alert, ...]:
    queue = numbers.queue
    window = words.span(queue.window)
    return (
        _cause(
            name="QueueGrowing",
            expression=work.growing_queue(numbers),
            wait=queue.wait,
            level=QUEUE,
            summary=f"The queue {_QUEUE} grows",
            description=f"{{{{ $value | humanize }}}} jobs wait, more than {queue.growth:g} times "
            f"as many as {window} ago, and it was never empty since.",
        ),
        _cause(
            name="QueueWaiting",
            expression=work.waiting_jobs(numbers),
            wait=queue.wait,
            level=QUEUE,
            summary=f"Jobs of the queue {_QUEUE} wait too long",
            description="The oldest job has waited for {{ $value | humanizeDuration }}, longer "
            f"than {words.span(queue.oldest)}.",
        ),
        _cause(
            name="QueueDeadLetters",
            expression=work.dead_letters(numbers),
            wait=queue.wait,
            level=QUEUE,
            summary=f"Jobs of the queue {_QUEUE} were given up",
            description=f"Jobs that failed for the last time, over the last {window}: "
            "{{ $value | humanize }}. Nobody tries them again.",
        ),
    )


def _observation(numbers: Numbers) -> tuple[Alert, ...]:
    observation = numbers.observation
    window = words.span(observation.window)
    return (
        _watcher(
            name="SpansDropped",
            expression=work.dropped_spans(numbers),
            wait=observation.wait,
            level=SERVICE,
            summary="{{ $labels.job }} loses spans",
            description="{{ $value | humanizePercentage }} of its spans over the last "
            f"{window} were dropped or could not be exported, more than "
            f"{words.percent(observation.spans)}: traces have gaps. Metrics don't depend on it.",
        ),
        _watcher(
            name="SeriesOverflow",
            expression=work.overflowing_series(numbers),
            wait=observation.wait,
            level=METRIC,
            summary="{{ $labels.metric }} of {{ $labels.job }} has too many series",
            description=f"{{{{ $value | humanize }}}} observations over the last {window} were "
            "folded into _overflow: a label has more values than the metric may have series.",
        ),
        _watcher(
            name="InstrumentationErrors",
            expression=work.internal_errors(numbers),
            wait=observation.wait,
            level=PART,
            summary="The instrumentation of {{ $labels.job }} fails in {{ $labels.part }}",
            description=f"Errors over the last {window}: {{{{ $value | humanize }}}}. No request "
            "saw them, but what should have been observed is missing.",
        ),
    )


def _cause(level: Level, **rule: Any) -> Alert:
    return Alert(severity="warning", kind="cause", level=level, **rule)


def _watcher(level: Level, **rule: Any) -> Alert:
    return Alert(severity="warning", kind="watcher", level=level, **rule)
