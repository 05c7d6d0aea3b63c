"""Observes a library once the application has it, and never loads one that it doesn't use.

SQLAlchemy and httpx take some 20 MiB of a process, and a good part of a second of its start. A
service may have them installed, for its tests or by way of another package, and never need them.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from importlib import import_module
from types import ModuleType
from typing import Final

from wrapt import register_post_import_hook

from instrumentation.telemetry import Telemetry

Observe = Callable[[Telemetry], object]

_waiting: Final[dict[str, dict[Telemetry, Observe]]] = {}
"""By library, who is to observe it. wrapt's hook is set once for each, and can't be taken away:
it finds nobody here when all have been uninstrumented."""

_lock = threading.RLock()


def when_imported(name: str, telemetry: Telemetry, observe: Observe) -> None:
    """Call `observe(telemetry)` once the library is imported: now if it is, or later.

    Later is as late as in a request, and in whatever thread imports it; then an error is
    reported, since the import is the application's and must not fail for us.

    Arguments:
        name: the library's top-level package; it need not be installed.
    """
    if sys.modules.get(name) is not None:
        import_module(name)  # another thread may be in the middle of it
        observe(telemetry)
        return
    with _lock:
        known = name in _waiting
        _waiting.setdefault(name, {})[telemetry] = observe
    telemetry.on_uninstrument(lambda: _waiting[name].pop(telemetry, None))
    if not known:
        register_post_import_hook(_arrived, name)
    elif name in sys.modules:  # it has come meanwhile, and the hook is spent
        _arrived(import_module(name))


def _arrived(module: ModuleType) -> None:
    with _lock:
        waiting = dict(_waiting[module.__name__])
        _waiting[module.__name__].clear()
    for telemetry, observe in waiting.items():
        try:
            observe(telemetry)
        except Exception as error:
            telemetry.errors.report(module.__name__, error)
