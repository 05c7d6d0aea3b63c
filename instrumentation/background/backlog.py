"""What waits in a queue: read when somebody asks for the metrics, and never kept."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable, Mapping
from concurrent.futures import Future, wait
from typing import Final, NamedTuple

from instrumentation.background import registry
from instrumentation.contract import metrics
from instrumentation.export import forks
from instrumentation.gauge import Gauge
from instrumentation.series import Family
from instrumentation.telemetry import Telemetry


class Waiting(NamedTuple):
    """What waits in one queue: how many jobs, and for how many seconds the oldest has."""

    depth: int
    oldest_age: float


Read = Callable[[], Mapping[str, Waiting]]

_PATIENCE_SECONDS: Final = 1.0
"""A scrape has ten seconds as a rule; without an answer the whole service would look gone."""


class Backlog:
    """Shows in gauges what `read` tells of each queue.

    Every process that sends to a queue or works on it may show it: a queue grows just when its
    workers are gone. So take the `max by (queue)`, not the sum.

    Arguments:
        read: what waits, by the queue's name; called in a thread of its own. A scrape waits a
            second for it, and tells of what comes later that it is not known (NaN).
    """

    def __init__(self, read: Read) -> None:
        self._read = read
        self._asked: Future[Mapping[str, Waiting]] | None = None
        self._lock = threading.Lock()
        forks.in_child(self._after_fork)
        self._shown_by: weakref.WeakSet[Telemetry] = weakref.WeakSet()
        self._queues: set[str] = set()

    def show(self) -> None:
        """Show it among the metrics of the application that runs; again changes nothing."""
        mine = registry.background()
        if mine is None or mine.telemetry in self._shown_by:
            return
        telemetry = mine.telemetry
        self._shown_by.add(telemetry)
        # Now, and not in the callback: a family that is made during a collection isn't in it.
        depth = telemetry.families.gauge(metrics.TASK_QUEUE_DEPTH)
        age = telemetry.families.gauge(metrics.TASK_QUEUE_OLDEST_AGE)

        def refresh() -> None:
            self._refresh(depth, age, telemetry)

        telemetry.on_uninstrument(telemetry.families.on_collect(refresh))
        telemetry.on_uninstrument(lambda: self._shown_by.discard(telemetry))

    def _ask(self) -> Mapping[str, Waiting]:
        """What waits, as `read` tells it in time; one that hangs is not called once more."""
        with self._lock:
            if self._asked is None or self._asked.done():
                self._asked = Future()
                reader = threading.Thread(
                    target=self._answer,
                    args=(self._asked,),
                    name="instrumentation-backlog",
                    daemon=True,
                )
                reader.start()
            asked = self._asked
        done, _ = wait((asked,), _PATIENCE_SECONDS)
        if not done:
            raise TimeoutError(f"who reads the queues did not answer in {_PATIENCE_SECONDS:g} s")
        return asked.result()

    def _answer(self, asked: Future[Mapping[str, Waiting]]) -> None:
        try:
            asked.set_result(self._read())
        except BaseException as error:
            asked.set_exception(error)

    def _after_fork(self) -> None:
        """A child has none of its parent's threads: an answer that they owe never comes."""
        self._asked = None
        self._lock = threading.Lock()

    def _refresh(self, depth: Family[Gauge], age: Family[Gauge], telemetry: Telemetry) -> None:
        told: dict[str, Waiting] = {}
        try:
            told = {str(queue): waiting for queue, waiting in self._ask().items()}
            self._queues.update(told)
        except Exception as error:
            telemetry.errors.report("queue", error)
        for queue in self._queues:
            # A queue that can't be asked is neither empty nor as it was: it is not known.
            jobs = seconds = float("nan")
            try:
                if queue in told:
                    jobs, seconds = _numbers(queue, told[queue])
            except Exception as error:
                telemetry.errors.report("queue", error)
            depth.child(queue).set(jobs)
            age.child(queue).set(seconds)


def _numbers(queue: str, waiting: Waiting) -> tuple[float, float]:
    try:
        return float(waiting.depth), float(waiting.oldest_age)
    except (AttributeError, TypeError, ValueError):
        rule = "a Waiting of two numbers"
        raise TypeError(f"what waits in {queue!r} must be {rule}, got {waiting!r}") from None
