"""The handle of one instrumented application, and the life of what works for it."""

from __future__ import annotations

import asyncio
import atexit
import threading
import time
import weakref
from collections.abc import Callable
from functools import partial
from typing import Any, Self

from opentelemetry import trace
from prometheus_client import REGISTRY, CollectorRegistry

from instrumentation.afterwards import catch_up
from instrumentation.children import Children
from instrumentation.context import active
from instrumentation.errors import InternalErrors
from instrumentation.export import metrics, spans
from instrumentation.export.queue import SpanQueue
from instrumentation.export.resource import resource
from instrumentation.export.scrape import Exposition
from instrumentation.propagation import Propagation
from instrumentation.series import families
from instrumentation.settings import Settings


class Telemetry:
    """What `instrument(app)` returns: a context manager that uninstruments on the way out.

    Nothing runs until `start()`, which the application's lifespan calls, or else its first
    request.

    Attributes:
        settings: the settings in force.
        registry: where the metrics are.
        tracer_provider: where the spans come from: the caller's, else the global one, else one
            of our own, which is then set globally. Only our own gets an exporter.
        engines: the SQLAlchemy engines to observe, or None for all of them.
        stopping: the server has told the application to stop.
        latest_loop: returns the loop that came last, of those for which everything has started.
    """

    def __init__(
        self,
        settings: Settings,
        registry: CollectorRegistry | None = None,
        tracer_provider: trace.TracerProvider | None = None,
        engines: tuple[Any, ...] | None = None,
    ) -> None:
        self.settings = settings
        self.registry = REGISTRY if registry is None else registry
        self.engines = engines
        self.stopping = False
        self.tracer_provider: trace.TracerProvider
        self._queue: SpanQueue | None = None
        self._metrics: metrics.Way | None = None
        self._undo: list[Callable[[], object]] = []
        self._on_start: list[Callable[[], object]] = []
        self._on_stop: list[Callable[[], object]] = []
        self._on_loop: list[Callable[[asyncio.AbstractEventLoop], object]] = []
        self._loops: weakref.WeakSet[asyncio.AbstractEventLoop] = weakref.WeakSet()
        self.latest_loop: Callable[[], object] = object
        self._started = False
        self._released = False
        self._gave_up = False
        self._lock = threading.Lock()
        if settings.disabled:
            self.tracer_provider = trace.NoOpTracerProvider()
            return
        shared = metrics.joined(settings)
        self.families = families(self.registry, settings.series_limit)
        self.errors = InternalErrors(self.families)
        workers = metrics.workers(shared, self.families, self.errors)
        self._metrics = workers or metrics.sent(settings, self.registry, self.errors)
        if tracer_provider is None:
            tracer_provider, self._queue = spans.global_provider(
                settings, self.families, self.errors
            )
        self.tracer_provider = tracer_provider
        self.tracer = spans.tracer(self.tracer_provider)
        self.children = Children(self.tracer)
        self.propagation = Propagation(public=settings.public_endpoint)
        self.on_uninstrument(self.propagation.close)
        self.exposition = Exposition(self.registry, resource(settings), workers)
        active.append(self)
        self.on_uninstrument(lambda: active.remove(self))

    def start(self) -> None:
        """Start the exporting threads; further calls do nothing, unless on a new event loop."""
        if asyncio._get_running_loop() is self.latest_loop():
            return
        self._start()
        self.enter_loop()

    def enter_loop(self, *, again: bool = False) -> None:
        """Have the `on_loop` callbacks see the running event loop, if they haven't.

        Arguments:
            again: even if they have: the application may have changed the loop since.
        """
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            return
        if self._started:
            self.latest_loop = weakref.ref(loop)
        if again or loop not in self._loops:
            self._loops.add(loop)
            self._run([partial(callback, loop) for callback in self._on_loop])

    def _start(self) -> None:
        with self._lock:
            if self._started:
                return
            if self._queue is not None:
                self._queue.start()
            if self._metrics is not None:
                self._metrics.start()
            atexit.register(self._at_exit)
            self._run(self._on_start)
            self._started = True

    def flush(self, timeout: float | None = None) -> bool:
        """Export every finished span, and the metrics where they are sent.

        True if that was done within `timeout` seconds; the default is `settings.shutdown_seconds`.
        Spans of a provider that isn't ours are left to its owner.
        """
        return self._flush(timeout, last=False)

    def shutdown(self, timeout: float | None = None) -> None:
        """Flush, then stop the exporting threads, within `timeout` seconds.

        Later spans are dropped and counted; requests go on. The threads go on too while another
        instrumented application sends through them.
        """
        if self._released or self.settings.disabled:
            return
        self._released = True
        left = _countdown(self._seconds(timeout))
        if self._queue is not None:
            self._queue.release(int(left() * 1000))
        if self._metrics is not None:
            self._metrics.release(left())
        atexit.unregister(self._at_exit)

    def stop(self) -> None:
        """Flush because the application stops; it may start again."""
        catch_up()
        self._run(self._on_stop)
        self._gave_up = not self._flush(None, last=True)

    def on_start(self, callback: Callable[[], object]) -> None:
        """Have the first `start` call `callback`: for what needs a thread or the running loop.

        The lifespan or the first request calls it, on the event loop.
        """
        self._on_start.append(callback)

    def on_loop(self, callback: Callable[[asyncio.AbstractEventLoop], object]) -> None:
        """Have `callback` see each event loop that serves the application, on that loop.

        It comes before the loop's first request, and once more at the end of the lifespan's
        start: an application may have set a task factory or an executor there.
        """
        self._on_loop.append(callback)

    def on_stop(self, callback: Callable[[], object]) -> None:
        """Have `stop` call `callback`, before the last flush, in a thread of its own."""
        self._on_stop.append(callback)

    def on_uninstrument(self, undo: Callable[[], object]) -> None:
        """Have `uninstrument` call `undo`, the last one first."""
        self._undo.append(undo)

    def uninstrument(self, timeout: float | None = None) -> None:
        """Restore every hook and stop, within `timeout` seconds; further calls do nothing."""
        while self._undo:
            self._undo.pop()()
        self.shutdown(timeout)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.uninstrument()

    def _run(self, callbacks: list[Callable[[], object]]) -> None:
        for callback in callbacks:
            try:
                callback()
            except Exception as error:
                self.errors.report("life", error)

    def _at_exit(self) -> None:
        """Where the lifespan waited in vain for the collector, the process doesn't again."""
        self.shutdown(0 if self._gave_up else None)

    def _flush(self, timeout: float | None, *, last: bool) -> bool:
        """Spans come first: what became of them is among the metrics."""
        catch_up()
        left = _countdown(self._seconds(timeout))
        done = self._queue is None or self._queue.force_flush(int(left() * 1000))
        if self._metrics is not None:
            done = self._metrics.flush(left(), last=last) and done
        return done

    def _seconds(self, timeout: float | None) -> float:
        return self.settings.shutdown_seconds if timeout is None else timeout


def _countdown(seconds: float) -> Callable[[], float]:
    """How much is left of these seconds, whenever it is asked."""
    end = time.monotonic() + seconds
    return lambda: max(0.0, end - time.monotonic())
