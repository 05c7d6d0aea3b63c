"""The event loop: who blocks it, how late it is, and how many tasks it has."""

from __future__ import annotations

import asyncio

from instrumentation.contract import metrics
from instrumentation.runtime.loop.report import Reporter
from instrumentation.runtime.loop.watchdog import watchdog
from instrumentation.telemetry import Telemetry

__all__ = ["install"]


def install(telemetry: Telemetry) -> None:
    """Watch every event loop that the application runs on."""
    reporter = Reporter(telemetry)
    tasks = telemetry.families.gauge(metrics.ASYNCIO_TASKS).child()

    def count() -> None:
        watchdog.report()
        tasks.set(sum(len(asyncio.all_tasks(loop)) for loop in watchdog.loops(reporter)))

    telemetry.on_uninstrument(telemetry.families.on_collect(count))
    if telemetry.settings.blocking_threshold_seconds:
        telemetry.on_loop(lambda _: watchdog.watch(reporter))
        telemetry.on_stop(lambda: watchdog.report(everything=True))
        telemetry.on_uninstrument(lambda: watchdog.release(reporter))
