"""`instrument(app)`: the table of contents of everything that is observed."""

from __future__ import annotations

import sys
import threading
import weakref
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

from prometheus_client import CollectorRegistry

from instrumentation import background, database, logs, outbound, own_code
from instrumentation.http import install, paths
from instrumentation.runtime import development, loop, threads
from instrumentation.settings import Settings
from instrumentation.telemetry import Telemetry

if TYPE_CHECKING:
    from opentelemetry.trace import TracerProvider
    from starlette.applications import Starlette

_instrumented: weakref.WeakKeyDictionary[Starlette, tuple[Telemetry, tuple[Any, ...]]] = (
    weakref.WeakKeyDictionary()
)
_abandoned: deque[Telemetry] = deque()
_lock = threading.Lock()


def instrument(
    app: Starlette,
    settings: Settings | None = None,
    *,
    engines: Sequence[Any] | None = None,
    registry: CollectorRegistry | None = None,
    tracer_provider: TracerProvider | None = None,
) -> Telemetry:
    """Trace and measure `app`, its database statements and its outbound calls.

    Call it before the first request; routes and middlewares may be added before or after. A
    second call with equal arguments returns the same `Telemetry`.

    Arguments:
        app: a FastAPI or Starlette application.
        settings: default `Settings.from_env()`.
        engines: the SQLAlchemy engines to observe; default all.
        registry: where metrics are kept; default prometheus-client's global one.
        tracer_provider: where spans come from; default the global SDK provider, else one of ours
            that sends spans over OTLP.

    Raises:
        TypeError: `app` is neither a FastAPI nor a Starlette application, or another argument
            is of a wrong type.
        ValueError: a setting is wrong; the application is instrumented with other arguments, or
            by another OpenTelemetry instrumentation.
        RuntimeError: the application has served a request already.
    """
    install.check(app)
    caller = str(sys._getframe(1).f_globals.get("__name__", ""))
    check_types(settings, engines, registry, tracer_provider)
    settings = Settings.from_env() if settings is None else settings
    chosen = None if engines is None else tuple(engines)
    arguments = (settings, chosen, registry, tracer_provider)
    with _lock:
        if app in _instrumented:
            telemetry, earlier = _instrumented[app]
            if arguments != earlier:
                raise ValueError(
                    "this application is instrumented already, with other arguments; "
                    "call uninstrument() on the Telemetry of the first call before"
                )
            return telemetry
        telemetry = Telemetry(settings, registry, tracer_provider, chosen)
        try:
            logs.install(telemetry)
            if not settings.disabled:
                install.install(app, telemetry)
                database.install(telemetry)
                outbound.install(telemetry)
                background.install(telemetry, _packages(app, caller))
                loop.install(telemetry)
                development.install(telemetry)
                threads.install(telemetry)
        except BaseException:
            telemetry.uninstrument()
            raise
        _instrumented[app] = (telemetry, arguments)
        _until_it_is_gone(app, telemetry)
        _clear_up()
        return telemetry


def _packages(app: Starlette, caller: str) -> Callable[[], Iterable[str]]:
    reference = weakref.ref(app)

    def packages() -> Iterable[str]:
        app = reference()
        routes = () if app is None else paths.walk(app.routes)
        return own_code.packages(caller, (getattr(route, "endpoint", None) for route, _ in routes))

    return packages


def _until_it_is_gone(app: Starlette, telemetry: Telemetry) -> None:
    reference = weakref.ref(app)

    def forget() -> None:
        if (found := reference()) is not None:
            _instrumented.pop(found, None)

    gone = weakref.finalize(app, _abandoned.append, telemetry)
    gone.atexit = False
    telemetry.on_uninstrument(gone.detach)
    telemetry.on_uninstrument(forget)


def _clear_up() -> None:
    """Uninstrument what is gone: tests make an application each, and nobody asks for its end.

    Not at once, when the garbage collector may have come in the middle of anything.
    """
    while _abandoned:
        try:
            _abandoned[0].uninstrument(0)
        except Exception as error:
            # The next call goes on behind what has failed.
            _abandoned[0].errors.report("life", error)
        else:
            _abandoned.popleft()


def check_types(settings: Any, engines: Any, registry: Any, tracer_provider: Any) -> None:
    """Raise a TypeError here, where it names the argument, and not somewhere deep below."""
    iterable = isinstance(engines, Iterable) and not isinstance(engines, str)
    rules = (
        ("settings", settings, isinstance(settings, Settings), "Settings"),
        ("engines", engines, iterable, "a list of SQLAlchemy engines"),
        ("registry", registry, isinstance(registry, CollectorRegistry), "a CollectorRegistry"),
        (
            "tracer_provider",
            tracer_provider,
            hasattr(tracer_provider, "get_tracer"),
            "a TracerProvider",
        ),
    )
    for name, value, right, rule in rules:
        if value is not None and not right:
            raise TypeError(f"{name} must be {rule}, got {value!r}")
