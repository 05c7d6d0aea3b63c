"""The queue between finished spans and their exporter."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from threading import current_thread
from typing import Final

from opentelemetry.context import (
    _SUPPRESS_INSTRUMENTATION_KEY,  # the SDK's own processors use it; there is no public name
    attach,
    set_value,
)
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

from instrumentation.errors import InternalErrors
from instrumentation.export import forks
from instrumentation.export.encode import spans_left_out
from instrumentation.series import Families

_PAUSE_SECONDS: Final = 1.0
"""Before spans are sent again that nobody took."""


class AwayError(Exception):
    """Nobody took these spans; the same ones may be taken later."""


class SpanQueue(SpanProcessor):
    """Hands finished spans to an exporter in batches, from a thread of its own.

    Beside the SDK's BatchSpanProcessor it counts every span by what became of it, drops the
    newest instead of what already waits, and keeps to the time given to `flush` and `shutdown`
    (the SDK's ignores it: https://github.com/open-telemetry/opentelemetry-python/issues/4568).
    A batch for which the exporter raises `AwayError` goes back to its place.

    Arguments:
        size: most spans that wait.
        batch: most spans in one export.
        delay: longest wait of a span, in seconds.
    """

    def __init__(
        self,
        families: Families,
        errors: InternalErrors,
        *,
        size: int,
        batch: int,
        delay: float,
    ) -> None:
        self._exporter: SpanExporter | None = None
        self._make: Callable[[], SpanExporter | None] = lambda: None
        self._holders = 0
        self._closed = False
        self._errors = errors
        self._size = size
        self._batch = batch
        self._delay = delay
        self._exported = families.spans.child("exported")
        self._failed = families.spans.child("failed")
        self._dropped = families.spans.child("dropped")
        self._thread: threading.Thread | None = None
        self._empty()
        size_now = families.span_queue_size.child()
        families.on_collect(lambda: size_now.set(len(self._spans)))
        forks.in_child(self._after_fork)

    def open(self, make: Callable[[], SpanExporter | None]) -> None:
        """Send to what `make` makes from now on, unless the queue sends already.

        None sends nothing. A child makes one of its own: two processes can't share a connection.
        Each call is one more holder, who gives the queue back with `release`.
        """
        self._holders += 1
        self._closed = False
        if self._exporter is None:
            self._make = make
            self._exporter = make()

    @property
    def is_open(self) -> bool:
        """Whether it has an exporter, which stays."""
        return self._exporter is not None

    def release(self, timeout_millis: int) -> None:
        """Export what waits; the last holder closes the queue."""
        self._holders -= 1
        if self._holders > 0:
            self.force_flush(timeout_millis)
        else:
            self.shutdown(timeout_millis)

    def start(self) -> None:
        """Start the exporting thread, unless it runs or the queue is closed."""
        with self._changed:
            if self._thread is None and self._exporter is not None:
                self._thread = threading.Thread(
                    target=self._work, name="instrumentation-spans", daemon=True
                )
                self._thread.start()

    def on_end(self, span: ReadableSpan) -> None:
        """Queue a finished span that was sampled; never waits."""
        if span.context is None or not span.context.trace_flags.sampled:
            return
        if self._exporter is None or len(self._spans) >= self._size:
            if self._exporter is not None or self._closed:
                self._dropped.inc()
            return
        self._spans.append(span)
        if len(self._spans) >= self._batch:
            self._wake.set()

    def force_flush(self, timeout_millis: int = 30000) -> bool:
        """Export what waits; True if all of it was settled in time."""
        self.start()
        deadline = time.monotonic() + timeout_millis / 1000
        with self._changed:
            until = self._settled + self._in_flight + len(self._spans)
            self._flushing = True
            self._wake.set()
            while self._settled < until:
                left = deadline - time.monotonic()
                if left <= 0 or self._exporter is None:
                    return False
                self._changed.wait(left)
        return True

    def shutdown(self, timeout_millis: int = 30000) -> None:
        """Export what waits, within the time given, and close; what is left counts as dropped."""
        if self._exporter is None:
            return
        self.force_flush(timeout_millis)
        with self._changed:
            exporter, self._exporter, self._thread = self._exporter, None, None
            self._closed = True
            self._wake.set()
            self._changed.notify_all()
        exporter.shutdown()
        left = len(self._spans)
        self._spans.clear()
        self._dropped.inc(left)

    def _work(self) -> None:
        attach(set_value(_SUPPRESS_INSTRUMENTATION_KEY, True))
        while (exporter := self._exporter) is not None and self._thread is current_thread():
            woken = self._wake.wait(self._delay)
            self._wake.clear()
            all_of_them, self._flushing = not woken or self._flushing, False
            # What came after a full batch waits for more, or for its time.
            least = 1 if all_of_them else self._batch
            while len(self._spans) >= least and self._exporter is exporter:
                if not self._export(exporter, self._take()):
                    with self._changed:
                        self._changed.wait_for(self._is_over, _PAUSE_SECONDS)

    def _take(self) -> list[ReadableSpan]:
        with self._changed:
            self._in_flight = min(len(self._spans), self._batch)
            return [self._spans.popleft() for _ in range(self._in_flight)]

    def _is_over(self) -> bool:
        return self._exporter is None

    def _export(self, exporter: SpanExporter, spans: list[ReadableSpan]) -> bool:
        """Whether it is settled what became of these spans."""
        outcome, before = self._failed, spans_left_out.count
        try:
            if exporter.export(spans) is SpanExportResult.SUCCESS:
                outcome = self._exported
        except AwayError:
            with self._changed:
                if self._exporter is exporter:
                    self._spans.extendleft(reversed(spans))
                    self._in_flight = 0
                    return False
        except Exception as error:
            self._errors.report("export", error)
        left_out = spans_left_out.count - before
        outcome.inc(len(spans) - left_out)
        self._failed.inc(left_out)
        with self._changed:
            self._settled += len(spans)
            self._in_flight = 0
            self._changed.notify_all()
        return True

    def _empty(self) -> None:
        self._spans: deque[ReadableSpan] = deque()
        self._settled = 0
        self._in_flight = 0
        self._flushing = False
        self._wake = threading.Event()
        self._changed: threading.Condition = threading.Condition()

    def _after_fork(self) -> None:
        """A child has none of its parent's threads, and the parent exports the parent's spans."""
        running = self._thread is not None
        self._thread = None
        self._empty()
        if self._exporter is not None:
            self._exporter = self._make()
        if running:
            self.start()
