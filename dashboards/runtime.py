"""Runtime: event loop, threads, garbage collector and background tasks."""

from __future__ import annotations

from typing import Final

from dashboards import causes, links
from dashboards.model import Board, Graph, Query, Row
from dashboards.variables import INSTANCES, OF_INSTANCE, SERVICES, TRACES
from dashboards.words import JOB, SLOWER, WINDOW
from instrumentation.contract import places, slo
from instrumentation.contract.panels import saturation, service, work
from instrumentation.contract.panels.saturation import INSTANCE

_LEGEND: Final = "{{job}} {{instance}}"
_POOL: Final = f"{_LEGEND} {{{{pool}}}}"
_NO_LOOP: Final = "No event loop is known"
_NO_THREADS: Final = "No thread pool is known"
_NO_GARBAGE: Final = "The garbage collector did not run in this range"
_NO_TASKS: Final = "No background task ran in this range"


def _blocked() -> Graph:
    return Graph(
        title="Does the event loop stand still?",
        description="Share of the time in which code held it, by instance; every request of the "
        "process waits meanwhile. The line is where the ticket begins.",
        unit="ratio",
        queries=(Query(saturation.loop_blocked(INSTANCE, WINDOW, OF_INSTANCE), _LEGEND),),
        threshold=slo.DEFAULTS.loop.blocked,
        empty="Nothing blocked an event loop in this range",
        links=(links.to_traces(JOB, slower=SLOWER),),
    )


def _lag() -> Graph:
    return Graph(
        title="How late is the event loop?",
        description="In 99 % of the beats what was due ran no later than this. Long without a "
        "culprit: many short callbacks, or too little CPU.",
        unit="seconds",
        queries=(Query(saturation.loop_lag(INSTANCE, WINDOW, OF_INSTANCE), _LEGEND),),
        empty=_NO_LOOP,
    )


def _tasks() -> Graph:
    return Graph(
        title="Do asyncio tasks pile up?",
        description="Tasks that are not done. A line that only rises is a leak.",
        unit="number",
        queries=(Query(work.tasks(INSTANCE, OF_INSTANCE), _LEGEND),),
        empty=_NO_LOOP,
    )


def _stalled() -> Graph:
    return Graph(
        title="Is the process starved?",
        description="Share of the time in which the loop stood still although its code was not to "
        "blame: the process got no CPU, or the machine slept.",
        unit="ratio",
        queries=(Query(work.stalled(INSTANCE, WINDOW, OF_INSTANCE), f"{_LEGEND} {{{{reason}}}}"),),
        empty="No process was starved in this range",
    )


def _threads() -> Graph:
    return Graph(
        title="Are threads dry?",
        description="Share of a pool's threads that are taken. At 100 % sync endpoints wait.",
        unit="ratio",
        queries=(Query(saturation.threads_taken(saturation.THREADS, OF_INSTANCE), _POOL),),
        empty=_NO_THREADS,
    )


def _thread_waits() -> Graph:
    return Graph(
        title="How long do calls wait for a thread?",
        description="95 % waited no longer. The line is where the ticket begins.",
        unit="seconds",
        queries=(Query(saturation.thread_wait(saturation.THREADS, WINDOW, OF_INSTANCE), _POOL),),
        threshold=slo.DEFAULTS.threads.waited,
        empty="No call asked for a thread in this range",
        links=(links.to_traces(JOB, slower=SLOWER),),
    )


def _calls_waiting() -> Graph:
    return Graph(
        title="How many calls wait for a thread?",
        description="At the moment of a scrape.",
        unit="number",
        queries=(Query(saturation.calls_waiting(saturation.THREADS, OF_INSTANCE), _POOL),),
        empty=_NO_THREADS,
    )


def _garbage() -> Graph:
    return Graph(
        title="How much time does the garbage collector take?",
        description="Share of the time in which it stopped the process. The line is where the "
        "ticket begins.",
        unit="ratio",
        queries=(Query(work.garbage_paused(INSTANCE, WINDOW, OF_INSTANCE), _LEGEND),),
        threshold=slo.DEFAULTS.garbage.paused,
        empty=_NO_GARBAGE,
    )


def _pauses() -> Graph:
    return Graph(
        title="How long are its pauses?",
        description="99 % were no longer, by generation. Generation 2 walks through every object "
        "of the process.",
        unit="seconds",
        queries=(
            Query(
                work.garbage_pause(("job", "generation"), WINDOW, OF_INSTANCE),
                "{{job}} generation {{generation}}",
            ),
        ),
        empty=_NO_GARBAGE,
    )


def _memory() -> Graph:
    return Graph(
        title="Does memory grow?",
        description="Resident memory.",
        unit="bytes",
        queries=(Query(service.memory(INSTANCE, OF_INSTANCE), _LEGEND),),
        empty="No process tells its memory",
    )


def _active() -> Graph:
    return Graph(
        title="How many background tasks run?",
        description="At the moment of a scrape.",
        unit="number",
        queries=(Query(work.background_active(OF_INSTANCE), "{{job}} {{task}}"),),
        empty=_NO_TASKS,
    )


def _task_durations() -> Graph:
    return Graph(
        title="How long do background tasks take?",
        description="95 % took no longer.",
        unit="seconds",
        queries=(Query(work.background_duration(WINDOW, OF_INSTANCE), "{{job}} {{task}}"),),
        empty=_NO_TASKS,
    )


def _undone() -> Graph:
    return Graph(
        title="Which background tasks fail or are lost?",
        description="Share of the runs that raised, or that a shutdown ended before they were "
        "done. The line is where the ticket for those that raise begins; one lost is one too many.",
        unit="ratio",
        queries=(Query(work.background_undone(WINDOW, OF_INSTANCE), "{{job}} {{task}}"),),
        threshold=slo.DEFAULTS.background.failed,
        empty=_NO_TASKS,
    )


RUNTIME: Final = Board(
    name="runtime",
    uid=places.RUNTIME_DASHBOARD_UID,
    title="Runtime",
    description="Event loop, threads, garbage collector and background tasks.",
    since="now-1h",
    refresh="30s",
    variables=(SERVICES, INSTANCES, TRACES),
    rows=(
        Row("Event loop", (_blocked(), _lag(), causes.culprits())),
        Row("Threads", (_threads(), _thread_waits(), _calls_waiting())),
        Row("Garbage collector and memory", (_garbage(), _pauses(), _memory())),
        Row("Tasks", (_tasks(), _stalled(), _active())),
        Row("Background tasks", (_task_durations(), _undone())),
    ),
)
