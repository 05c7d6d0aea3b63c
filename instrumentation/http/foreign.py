"""Another OpenTelemetry instrumentation on the same application: refused, with a clear error.

Contrib's `OpenTelemetryMiddleware` and Starlette's of the same name start a server span of their
own. They may be among the middlewares, or wrapped around the application as a whole, before
`instrument()` or after it.
"""

from __future__ import annotations

import sys
from typing import Any, Final

from starlette.types import Receive, Scope, Send

_NAME: Final = "OpenTelemetryMiddleware"

MESSAGE: Final = (
    "this application has an OpenTelemetryMiddleware already; every request would get two "
    "server spans: remove it (or uninstrument_app) before instrument()"
)


def is_foreign(kind: Any) -> bool:
    """Whether `kind`, a class, is or derives from an OpenTelemetryMiddleware."""
    return any(base.__name__ == _NAME for base in getattr(kind, "__mro__", ()))


def on(app: Any) -> bool:
    """Whether `app`, a Starlette application, is instrumented already."""
    by_contrib = getattr(app, "_is_instrumented_by_opentelemetry", False)
    return by_contrib or any(is_foreign(item.cls) for item in app.user_middleware)


def within(stack: Any) -> bool:
    """Whether a built stack of middlewares has one, which a function may have put there."""
    seen: set[int] = set()
    while stack is not None and id(stack) not in seen:
        if is_foreign(type(stack)):
            return True
        seen.add(id(stack))
        stack = getattr(stack, "app", None)
    return False


def around() -> bool:
    """Whether one is among the callers: it was wrapped around the application."""
    frame = sys._getframe(1)
    while frame is not None:
        if frame.f_code.co_name == "__call__" and is_foreign(type(frame.f_locals.get("self"))):
            return True
        frame = frame.f_back  # type: ignore[assignment]
    return False


class Refusal:
    """Stands in place of the application: stops the start, and each request where none was."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Say what is wrong.

        Servers take an exception in the lifespan for a missing one and go on, so it is told by
        the message for a start that failed.

        Raises:
            ValueError: always.
        """
        if scope["type"] == "lifespan":
            await receive()
            await send({"type": "lifespan.startup.failed", "message": MESSAGE})
        raise ValueError(MESSAGE)
