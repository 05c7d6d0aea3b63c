"""Work behind the requests: failing, lost, piling up; and what the library itself loses."""

from __future__ import annotations

from pathlib import Path

import pytest

from instrumentation.contract.metrics import (
    BACKGROUND_TASK_DURATION,
    INSTRUMENTATION_INTERNAL_ERRORS,
    INSTRUMENTATION_SERIES_OVERFLOW,
    INSTRUMENTATION_SPANS,
    TASK_QUEUE_DEAD_LETTERS,
    TASK_QUEUE_DEPTH,
    TASK_QUEUE_OLDEST_AGE,
)
from tests.alerts.cases import Life, silent
from tests.alerts.parts import MINUTE, Series, counter, gauge, known

FILES = ("work.yml",)
RUNS = f"{BACKGROUND_TASK_DURATION.name}_count"
TASK = {"task": "send_receipt"}
QUEUE = {"queue": "receipts"}
TASK_SAID = {"kind": "cause", "level": "job_task", **TASK}
QUEUE_SAID = {"kind": "cause", "level": "job_queue", **QUEUE}


def spans(outcome: str, *phases: tuple[int, float | None]) -> Series:
    return counter(INSTRUMENTATION_SPANS.name, *phases, outcome=outcome)


LIVES = (
    Life(
        alert="BackgroundTasksFailing",
        files=FILES,
        series=[
            known(),
            counter(
                RUNS, (20 * MINUTE, 4), (20 * MINUTE, 3), (30 * MINUTE, 4), **TASK, outcome="ok"
            ),
            counter(
                RUNS, (20 * MINUTE, None), (20 * MINUTE, 1), (30 * MINUTE, 0), **TASK,
                outcome="error",
            ),
        ],
        # 240 runs in 15 minutes, of which 12 and more fail.
        start=20 * 60 + 11 * 15,
        firing=38,
        silent=(20, 23, 58),
        said={
            **TASK_SAID,
            "summary": "The background task send_receipt of orders fails",
            "description": "25% of its runs over 15 minutes raised an exception, more than 5%. No "
            "user was told.",
        },
    ),
    Life(
        alert="BackgroundTasksLost",
        files=FILES,
        series=[
            known(),
            counter(RUNS, (60 * MINUTE, 1), **TASK, outcome="ok"),
            counter(
                RUNS, (20 * MINUTE, None), (1, 2), (40 * MINUTE, 0), **TASK, outcome="lost"
            ),
        ],
        start=20 * 60,
        firing=25,
        silent=(20, 40),
        said={
            **TASK_SAID,
            "summary": "The background task send_receipt of orders was lost",
            "description": "Runs that a shutdown ended before they were done, over the last 15 "
            "minutes: 2. Nobody does them again.",
        },
    ),
    Life(
        alert="QueueGrowing",
        files=FILES,
        series=[
            gauge(
                TASK_QUEUE_DEPTH,
                *((1, 10 + step) for step in range(10 * MINUTE)),
                *((1, 50 + 5 * step) for step in range(20 * MINUTE)),
                (40 * MINUTE, 20),
                **QUEUE,
            )
        ],
        # From then on there is a value of 15 minutes before.
        start=15 * 60,
        firing=29,
        silent=(14, 19, 31, 50),
        said={
            **QUEUE_SAID,
            "summary": "The queue receipts of orders grows",
            "description": "430 jobs wait, more than 1.5 times as many as 15 minutes ago, and it "
            "was never empty since.",
        },
    ),
    Life(
        alert="QueueWaiting",
        files=FILES,
        series=[
            gauge(
                TASK_QUEUE_OLDEST_AGE, (10 * MINUTE, 5), (20 * MINUTE, 1200), (10 * MINUTE, 5),
                **QUEUE,
            )
        ],
        start=10 * 60,
        firing=20,
        silent=(10, 14, 31),
        said={
            **QUEUE_SAID,
            "summary": "Jobs of the queue receipts of orders wait too long",
            "description": "The oldest job has waited for 20m 0s, longer than 10 minutes.",
        },
    ),
    Life(
        alert="QueueDeadLetters",
        files=FILES,
        series=[
            known(),
            counter(
                TASK_QUEUE_DEAD_LETTERS.name, (20 * MINUTE, None), (1, 1), (40 * MINUTE, 0), **QUEUE
            ),
        ],
        start=20 * 60,
        firing=30,
        silent=(20, 24, 40),
        said={
            **QUEUE_SAID,
            "summary": "Jobs of the queue receipts of orders were given up",
            "description": "Jobs that failed for the last time, over the last 15 minutes: 1. "
            "Nobody tries them again.",
        },
    ),
    Life(
        alert="SpansDropped",
        files=FILES,
        series=[
            known(),
            spans("exported", (20 * MINUTE, 100), (20 * MINUTE, 75), (30 * MINUTE, 100)),
            spans("dropped", (20 * MINUTE, 0), (20 * MINUTE, 20), (30 * MINUTE, 0)),
            spans("failed", (20 * MINUTE, 0), (20 * MINUTE, 5), (30 * MINUTE, 0)),
        ],
        # 4,000 in ten minutes, of which more than 40 are lost.
        start=20 * 60 + 15,
        firing=35,
        silent=(20, 22, 53),
        said={
            "kind": "watcher",
            "summary": "orders loses spans",
            "description": "25% of its spans over the last 10 minutes were dropped or could not be "
            "exported, more than 1%: traces have gaps. Metrics don't depend on it.",
        },
    ),
    Life(
        alert="SeriesOverflow",
        files=FILES,
        series=[
            known(),
            counter(
                INSTRUMENTATION_SERIES_OVERFLOW.name,
                *((20 * MINUTE, None), (1, 5), (40 * MINUTE, 0)),
                metric="http_server_request_duration_seconds",
            ),
        ],
        start=20 * 60,
        firing=25,
        silent=(20, 35),
        said={
            "kind": "watcher",
            "level": "job_metric",
            "metric": "http_server_request_duration_seconds",
            "summary": "http_server_request_duration_seconds of orders has too many series",
            "description": "5 observations over the last 10 minutes were folded into _overflow: a "
            "label has more values than the metric may have series.",
        },
    ),
    Life(
        alert="InstrumentationErrors",
        files=FILES,
        series=[
            known(),
            counter(
                INSTRUMENTATION_INTERNAL_ERRORS.name,
                *((20 * MINUTE, None), (1, 1), (40 * MINUTE, 0)),
                part="database",
            ),
        ],
        start=20 * 60,
        firing=25,
        silent=(20, 35),
        said={
            "kind": "watcher",
            "level": "job_part",
            "part": "database",
            "summary": "The instrumentation of orders fails in database",
            "description": "Errors over the last 10 minutes: 1. No request saw them, but what "
            "should have been observed is missing.",
        },
    ),
)  # fmt: skip


@pytest.mark.parametrize("life", LIVES, ids=lambda life: life.alert)
def test_it_is_silent_then_fires_then_resolves(life: Life, tmp_path: Path) -> None:
    life.check(tmp_path)


def test_one_failed_run_among_many_is_silent(tmp_path: Path) -> None:
    series = [
        known(),
        counter(RUNS, (250, 4), **TASK, outcome="ok"),
        counter(RUNS, (80, None), (1, 2), (160, 0), **TASK, outcome="error"),
    ]
    silent("BackgroundTasksFailing", FILES, series, tmp_path)


def test_a_queue_that_is_emptied_now_and_then_is_silent(tmp_path: Path) -> None:
    sawtooth = gauge(TASK_QUEUE_DEPTH, *((1, 10.0 * (step % 40)) for step in range(250)), **QUEUE)
    silent("QueueGrowing", FILES, [sawtooth], tmp_path)


def test_a_long_queue_that_shrinks_is_silent(tmp_path: Path) -> None:
    shrinking = gauge(TASK_QUEUE_DEPTH, *((1, 1000.0 - step) for step in range(250)), **QUEUE)
    silent("QueueGrowing", FILES, [shrinking], tmp_path)


def test_a_restart_of_the_collector_costs_few_spans_and_is_silent(tmp_path: Path) -> None:
    series = [
        known(),
        spans("exported", (250, 100)),
        spans("failed", (80, 0), (1, 30), (160, 0)),
    ]
    silent("SpansDropped", FILES, series, tmp_path)
