"""One piece of background work from its start to its end: span, duration, what became of it."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from typing import Final, Literal, TypeVar

from opentelemetry.context import Context
from opentelemetry.trace import Link, SpanContext, SpanKind, Status, StatusCode

from instrumentation import exceptions
from instrumentation.contract import metrics
from instrumentation.telemetry import Telemetry

Outcome = Literal["ok", "error", "cancelled", "lost"]
Attributes = Mapping[str, str | int]

_FIRST: Final[tuple[Outcome, ...]] = ("ok", "error", "lost")

SHUTDOWN: Final = "shutdown"
CANCELLED: Final = "cancelled"
NEVER_STARTED: Final = "never started"
COLLECTED: Final = "garbage collected"


class Background:
    """The background work of one instrumented application.

    Attributes:
        telemetry: where it is measured.
    """

    def __init__(self, telemetry: Telemetry) -> None:
        self.telemetry = telemetry
        self.active = telemetry.families.gauge(metrics.BACKGROUND_TASKS_ACTIVE)
        self.duration = telemetry.families.histogram(metrics.BACKGROUND_TASK_DURATION)
        self.retries = telemetry.families.counter(metrics.TASK_QUEUE_RETRIES)
        self.dead_letters = telemetry.families.counter(metrics.TASK_QUEUE_DEAD_LETTERS)
        self._tasks: set[str] = set()
        self._underway: set[Work] = set()
        self._pid = os.getpid()

    def begin(self, work: Work, task: str) -> None:
        """Keep `work` in mind until it ends.

        `increase()` can't see the first value of a series that begins with it, and the first that
        is lost may be the last thing that a process tells: the series are there from the start.
        """
        self._underway.add(work)
        if task not in self._tasks:
            self._tasks.add(task)
            for outcome in _FIRST:
                self.duration.child(task, outcome)

    def forget(self, work: Work) -> bool:
        """Take `work` off the list; False where it was off already."""
        try:
            self._underway.remove(work)
        except KeyError:
            return False
        return True

    def lose_all(self) -> None:
        """The application stops: what is still under way will not be finished."""
        if os.getpid() != self._pid:
            # A fork: this work goes on in the parent.
            self._pid, self._underway = os.getpid(), set()
        for work in tuple(self._underway):
            work.settle()

    def report(self, error: Exception) -> None:
        """Take note of an error of ours."""
        self.telemetry.errors.report("background", error)


class Work:
    """One piece of work under way.

    Arguments:
        background: whose it is.
        task: the metrics' label: what is done, never which one.
        name: the span's.
        attributes: the span's.
        kind: the span's.
        parent: what the span is a child of; default the current context.
        cause: what the span is linked to.
    """

    __slots__ = ("__weakref__", "_active", "_background", "_began", "_task", "span")

    def __init__(
        self,
        background: Background,
        task: str,
        name: str,
        attributes: Attributes,
        *,
        kind: SpanKind = SpanKind.INTERNAL,
        parent: Context | None = None,
        cause: SpanContext | None = None,
    ) -> None:
        links = [Link(cause)] if cause is not None and cause.is_valid else []
        self.span = background.telemetry.tracer.start_span(name, parent, kind, attributes, links)
        self._background = background
        self._task = task
        self._active = background.active.child(task)
        self._active.inc()
        background.begin(self, task)
        self._began = time.perf_counter()

    def settle(self) -> None:
        """Say what became of the work, now that no more will become of it."""
        self.end("lost", because=SHUTDOWN)

    def end(self, outcome: Outcome, error: BaseException | None = None, because: str = "") -> None:
        """The work is over; a second end changes nothing. Whatever fails here is ours alone.

        Arguments:
            outcome: what became of it.
            error: what it raised.
            because: why it was lost.
        """
        seconds = time.perf_counter() - self._began
        if not self._background.forget(self):
            return
        try:
            self._active.dec()
            duration = self._background.duration.child(self._task, outcome)
            duration.observe_in(self.span, seconds)
            if self.span.is_recording():
                self._describe(outcome, error, because)
        except Exception as failure:
            self._background.report(failure)
        finally:
            self.span.end()

    def _describe(self, outcome: Outcome, error: BaseException | None, because: str) -> None:
        self.span.set_attribute("background.outcome", outcome)
        if outcome == "lost":
            self.span.set_attribute("background.lost_because", because)
            self.span.set_attribute("error.type", "lost")
            self.span.set_status(Status(StatusCode.ERROR))
        elif outcome == "error" and error is not None:
            exceptions.fail(self.span, error)


W = TypeVar("W", bound=Work)


def guarded(background: Background, start: Callable[[], W]) -> W | None:
    """What `start` makes; None where that fails, which is no concern of the application's."""
    try:
        return start()
    except Exception as error:
        background.report(error)
        return None
