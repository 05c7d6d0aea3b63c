"""What waits in a queue: read when somebody asks for the metrics, and never kept."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Mapping
from typing import NamedTuple

from instrumentation.background import registry
from instrumentation.contract import metrics
from instrumentation.gauge import Gauge
from instrumentation.series import Family
from instrumentation.telemetry import Telemetry


class Waiting(NamedTuple):
    """What waits in one queue: how many jobs, and for how many seconds the oldest has."""

    depth: int
    oldest_age: float


Read = Callable[[], Mapping[str, Waiting]]


class Backlog:
    """Shows in gauges what `read` tells of each queue.

    Every process that sends to a queue or works on it may show it: a queue grows just when its
    workers are gone. So take the `max by (queue)`, not the sum.

    Arguments:
        read: what waits, by the queue's name; called in the thread that collects. It must come
            back in time, since the whole scrape waits for it.
    """

    def __init__(self, read: Read) -> None:
        self._read = read
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

    def _refresh(self, depth: Family[Gauge], age: Family[Gauge], telemetry: Telemetry) -> None:
        waiting: Mapping[str, Waiting] = {}
        try:
            waiting = self._read()
            self._queues.update(waiting)
        except Exception as error:
            telemetry.errors.report("queue", error)
        # A queue that can't be asked is neither empty nor as it was: it is not known.
        unknown = Waiting(0, 0.0)
        for queue in self._queues:
            known = queue in waiting
            found = waiting.get(queue, unknown)
            depth.child(queue).set(found.depth if known else float("nan"))
            age.child(queue).set(found.oldest_age if known else float("nan"))
