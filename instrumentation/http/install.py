"""Puts the layers in their places on one application, and takes them away again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from starlette.applications import Starlette
from starlette.types import ASGIApp

from instrumentation.http.layer import TelemetryLayer
from instrumentation.http.routes import Paths, RouterLayer, starlette_routes, track_mounts
from instrumentation.telemetry import Telemetry

_FOREIGN = "OpenTelemetryMiddleware"


def check(app: Any) -> None:
    """Raise where `app` can't be instrumented; nothing is changed.

    Raises:
        TypeError: not a FastAPI or Starlette application.
        ValueError: another OpenTelemetry instrumentation is on it.
    """
    if not isinstance(app, Starlette):
        raise TypeError(
            f"instrument() needs a FastAPI or Starlette application, got {type(app).__name__}"
        )
    by_contrib = getattr(app, "_is_instrumented_by_opentelemetry", False)
    if by_contrib or any(_is_foreign(item.cls) for item in app.user_middleware):
        raise ValueError(_two_instrumentations())


def install(app: Starlette, telemetry: Telemetry) -> None:
    """Have `app` build its middleware stack with our layers outermost and innermost.

    `build_middleware_stack` is wrapped on the instance: `add_middleware` would leave
    ServerErrorMiddleware, and what is added later, outside.

    Raises:
        RuntimeError: the stack is built already: the application has served a request.
    """
    if app.middleware_stack is not None:
        raise RuntimeError(
            "instrument() must be called where the application is made: this one has started"
        )
    telemetry.on_uninstrument(_silence_fastapi(app))
    original, before = app.build_middleware_stack, dict(vars(app))

    def build_middleware_stack() -> ASGIApp:
        check(app)
        router = app.router

        def scan() -> Paths:
            telemetry.on_uninstrument(track_mounts(router.routes))
            return Paths(starlette_routes(router.routes))

        app.router = RouterLayer(router, scan)  # type: ignore[assignment]
        try:
            return TelemetryLayer(original(), telemetry)
        finally:
            app.router = router

    app.build_middleware_stack = build_middleware_stack  # type: ignore[method-assign]

    def undo() -> None:
        vars(app).pop("build_middleware_stack", None)
        if "build_middleware_stack" in before:  # somebody else had wrapped it before
            app.build_middleware_stack = original  # type: ignore[method-assign]
        app.middleware_stack = None

    telemetry.on_uninstrument(undo)


def _silence_fastapi(app: Any) -> Callable[[], None]:
    """Switch FastAPI's own telemetry off; returns what switches it on again.

    FastAPI has it since 0.142 and starts it before any middleware. There is no public switch on
    an application that exists, so its private configuration is changed, where it has one.
    """
    config = getattr(app, "_telemetry", None)
    if not isinstance(config, dict):
        return lambda: None
    before = dict(config)
    config.update(tracing=False, metrics=False, logs=False, auto_configure=False)
    return lambda: config.update(before)


def _is_foreign(middleware: Any) -> bool:
    return getattr(middleware, "__name__", "") == _FOREIGN


def _two_instrumentations() -> str:
    return (
        "this application has an OpenTelemetryMiddleware already; every request would get two "
        "server spans: remove it (or uninstrument_app) before instrument()"
    )
