"""`instrument_worker()`: what is observed in a process that serves no requests."""

from __future__ import annotations

import logging
import sys
import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from prometheus_client import CollectorRegistry

from instrumentation import background, database, logs, outbound, own_code
from instrumentation.export.listener import Listener
from instrumentation.settings import Settings
from instrumentation.telemetry import Telemetry
from instrumentation.wiring import check_types

if TYPE_CHECKING:
    from opentelemetry.trace import TracerProvider

logger = logging.getLogger("instrumentation")

_lock = threading.Lock()
_instrumented: tuple[Telemetry, tuple[Any, ...]] | None = None


def instrument_worker(
    settings: Settings | None = None,
    *,
    engines: Sequence[Any] | None = None,
    registry: CollectorRegistry | None = None,
    tracer_provider: TracerProvider | None = None,
) -> Telemetry:
    """Trace and measure the jobs of this process, its database statements and outbound calls.

    For a worker of a task queue, or any other process without an ASGI application. Nothing runs
    until `start()`, which a worker of Dramatiq's calls by itself: then spans are exported, and
    `/metrics` is answered at `settings.prometheus_host` and `prometheus_port`, unless metrics are
    pushed. A second call with equal arguments returns the same `Telemetry`.

    Arguments:
        settings: default `Settings.from_env()`.
        engines: the SQLAlchemy engines to observe; default all.
        registry: where metrics are kept; default prometheus-client's global one.
        tracer_provider: where spans come from; default the global SDK provider, else one of ours
            that sends spans over OTLP.

    Raises:
        TypeError: an argument is of a wrong type.
        ValueError: a setting is wrong, or the process is instrumented with other arguments.
    """
    global _instrumented
    check_types(settings, engines, registry, tracer_provider)
    settings = Settings.from_env() if settings is None else settings
    chosen = None if engines is None else tuple(engines)
    arguments = (settings, chosen, registry, tracer_provider)
    caller = str(sys._getframe(1).f_globals.get("__name__", ""))
    with _lock:
        if _instrumented is not None:
            telemetry, earlier = _instrumented
            if arguments != earlier:
                raise ValueError(
                    "this worker is instrumented already, with other arguments; "
                    "call uninstrument() on the Telemetry of the first call before"
                )
            return telemetry
        telemetry = Telemetry(settings, registry, tracer_provider, chosen)
        _instrumented = (telemetry, arguments)
        telemetry.on_uninstrument(_forget)
        try:
            logs.install(telemetry)
            if not settings.disabled:
                database.install(telemetry)
                outbound.install(telemetry)
                background.install(telemetry, lambda: own_code.packages(caller, ()))
                _listen(telemetry)
        except BaseException:
            telemetry.uninstrument()
            raise
        return telemetry


def _forget() -> None:
    global _instrumented
    _instrumented = None


def _listen(telemetry: Telemetry) -> None:
    settings = telemetry.settings
    if settings.metrics_exporter != "prometheus":
        return
    listener = Listener(
        telemetry.exposition,
        telemetry.errors,
        host=settings.prometheus_host,
        port=settings.prometheus_port,
        path=settings.metrics_path,
    )

    def start() -> None:
        try:
            listener.start()
        except OSError as error:
            # Jobs are worth more than their metrics.
            logger.error("%s", error)

    telemetry.on_start(start)
    telemetry.on_uninstrument(listener.stop)
