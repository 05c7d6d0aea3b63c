"""Background work: what a request starts and does not wait for."""

from __future__ import annotations

import atexit
from collections.abc import Callable, Iterable

from instrumentation.background import created, starlette
from instrumentation.background.registry import installed
from instrumentation.background.work import Background
from instrumentation.telemetry import Telemetry


def install(telemetry: Telemetry, packages: Callable[[], Iterable[str]] = tuple) -> None:
    """Observe the background work of `telemetry`'s application.

    Arguments:
        telemetry: the application's.
        packages: names the application's top-level packages, when they are first needed.
    """
    if not telemetry.settings.background_tasks:
        return
    mine = installed[telemetry] = Background(telemetry)
    tasks = created.CreatedTasks(mine, packages)
    starlette.install()
    telemetry.on_loop(tasks.observe)
    telemetry.on_start(lambda: atexit.register(mine.lose_all))
    telemetry.on_stop(mine.lose_all)
    telemetry.on_uninstrument(lambda: _uninstall(mine, tasks))


def _uninstall(mine: Background, tasks: created.CreatedTasks) -> None:
    atexit.unregister(mine.lose_all)
    tasks.forget()
    installed.pop(mine.telemetry, None)
    if not installed:
        starlette.uninstall()
