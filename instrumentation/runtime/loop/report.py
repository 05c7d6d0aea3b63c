"""What an application tells of its event loops: metrics, spans and log lines."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from typing import Final

from opentelemetry import context as otel
from opentelemetry import trace
from opentelemetry.trace import SpanKind
from opentelemetry.util.types import AttributeValue

from instrumentation.contract import metrics
from instrumentation.runtime.loop import stack
from instrumentation.runtime.loop.standstill import LOCKED, STARVED, STOPPED
from instrumentation.runtime.loop.stretch import Block
from instrumentation.seldom import Seldom
from instrumentation.telemetry import Telemetry

logger = logging.getLogger("instrumentation")

_WHY: Final = {
    STOPPED: "the process was stopped, so the event loop stood still",
    STARVED: "the event loop got no CPU",
    LOCKED: "another thread kept the interpreter's lock from the event loop",
}


class Reporter:
    """Writes down for one application what the watchdog finds out."""

    def __init__(self, telemetry: Telemetry, clock: Callable[[], float] = time.monotonic) -> None:
        families = telemetry.families
        self.telemetry: Telemetry | None = telemetry
        self.threshold = telemetry.settings.blocking_threshold_seconds
        self.beat = families.histogram(metrics.ASYNCIO_EVENT_LOOP_LAG).child().observe
        self._seconds = families.histogram(metrics.ASYNCIO_EVENT_LOOP_BLOCKED)
        self._culprits = families.counter(metrics.ASYNCIO_EVENT_LOOP_CULPRIT_SECONDS)
        self._blocks = families.counter(metrics.ASYNCIO_EVENT_LOOP_CULPRIT_BLOCKS)
        self._stalled = families.counter(metrics.ASYNCIO_EVENT_LOOP_STALLED_SECONDS)
        self._pauses = families.histogram(metrics.PYTHON_GC_PAUSE)
        self._tracer = telemetry.tracer
        self._errors = telemetry.errors
        self._seldom = Seldom(clock)

    def blocked(self, block: Block) -> None:
        """Code held the loop: measure it, trace it, and log it once a minute for each culprit."""
        try:
            self._blocked(block)
        except Exception as error:
            self._errors.report("event loop", error)

    def stalled(self, seconds: float, reason: str) -> None:
        """The loop could not turn, and its code did not cause that."""
        self._stalled.child(reason).inc(seconds)
        if self._seldom.is_news(reason):
            logger.warning("%s for %.0f ms; its code is not to blame", _WHY[reason], seconds * 1000)

    def collected(self, generation: int, pauses: Sequence[float]) -> None:
        """The garbage collector ran."""
        self._pauses.child(str(generation)).observe_all(pauses)

    def _blocked(self, block: Block) -> None:
        request = block.request
        route = "" if request is None else request.track.label()
        culprit = block.label()
        span = None if request is None else request.span
        parent = otel.Context() if span is None else trace.set_span_in_context(span)
        self._trace(block, route, culprit, parent)
        self._seconds.child(route).observe_in(span, block.seconds)
        self._culprits.child(route, culprit).inc(block.seconds)
        self._blocks.child(route, culprit).inc()
        if self._seldom.is_news(culprit):
            self._log(block, route, culprit, parent)

    def _trace(self, block: Block, route: str, culprit: str, parent: otel.Context) -> None:
        since_epoch = time.time_ns() - time.perf_counter_ns()
        attributes: dict[str, AttributeValue] = {
            "event_loop.blocked.culprit": culprit,
            "event_loop.blocked.seconds": round(block.seconds, 6),
            "event_loop.blocked.cpu_seconds": round(block.cpu, 6),
            "event_loop.blocked.by": "cpu" if block.burnt() else "wait",
            "thread.id": block.thread,
            "code.stacktrace": stack.text(block.stack),
        }
        if block.culprit is not None:
            attributes["code.file.path"] = block.culprit.code.co_filename
            attributes["code.line.number"] = block.culprit.line
            attributes["code.function.name"] = block.culprit.code.co_qualname
        if route:
            attributes["http.route"] = route
        self._tracer.start_span(
            "event_loop.blocked",
            parent,
            SpanKind.INTERNAL,
            attributes,
            start_time=since_epoch + int(block.start * 1e9),
        ).end(since_epoch + int(block.end * 1e9))

    def _log(self, block: Block, route: str, culprit: str, parent: otel.Context) -> None:
        """In the request's context, so that the record carries its trace."""
        token = otel.attach(parent)
        try:
            logger.warning(
                "%s blocked the event loop for %.0f ms%s, %s",
                culprit,
                block.seconds * 1000,
                f" in {route}" if route else "",
                "burning CPU" if block.burnt() else "waiting",
            )
        finally:
            otel.detach(token)
