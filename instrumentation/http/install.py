"""Puts the layers in their places on one application, and takes them away again."""

from __future__ import annotations

import weakref
from typing import Any

from starlette.applications import Starlette
from starlette.types import ASGIApp

from instrumentation.http import foreign
from instrumentation.http.framework import Kept, switch_off
from instrumentation.http.layer import TelemetryLayer
from instrumentation.http.paths import Paths, starlette_routes
from instrumentation.http.routes import RouterLayer, track_mounts
from instrumentation.telemetry import Telemetry


def check(app: Any) -> None:
    """Raise where `app` can't be instrumented; nothing is changed.

    Raises:
        TypeError: not a FastAPI or Starlette application.
        ValueError: another OpenTelemetry instrumentation is on it.
    """
    if foreign.is_foreign(type(app)):
        raise ValueError(foreign.MESSAGE)
    if not isinstance(app, Starlette):
        raise TypeError(
            f"instrument() needs a FastAPI or Starlette application, got {type(app).__name__}"
        )
    if foreign.on(app):
        raise ValueError(foreign.MESSAGE)


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
    kept = Kept.of(app, telemetry)
    telemetry.on_uninstrument(switch_off(app, keep=telemetry.settings.fastapi_telemetry))
    original = app.build_middleware_stack
    wrapped = vars(app).get("build_middleware_stack")
    reference = weakref.ref(app)

    def layer(stack: ASGIApp) -> ASGIApp:
        return TelemetryLayer(stack, telemetry, kept)

    def build_middleware_stack() -> ASGIApp:
        if foreign.on(app):
            return foreign.Refusal()
        router = app.router

        def scan() -> Paths:
            telemetry.on_uninstrument(track_mounts(router.routes))
            return Paths(lambda: starlette_routes(router.routes))

        app.router = RouterLayer(router, scan, apart=bool(app.user_middleware))  # type: ignore[assignment]
        try:
            stack = original()
            return foreign.Refusal() if foreign.within(stack) else layer(stack)
        finally:
            app.router = router

    app.build_middleware_stack = build_middleware_stack  # type: ignore[method-assign]

    def undo() -> None:
        app = reference()
        if app is None:
            return
        vars(app).pop("build_middleware_stack", None)
        if wrapped is not None:  # by somebody else, before
            app.build_middleware_stack = wrapped  # type: ignore[method-assign]
        app.middleware_stack = None

    telemetry.on_uninstrument(undo)
