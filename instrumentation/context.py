"""Whose request is running: how everything observed below a request finds it."""

from __future__ import annotations

from contextvars import ContextVar
from typing import TYPE_CHECKING, Final, Protocol

if TYPE_CHECKING:
    from opentelemetry.trace import Span

    from instrumentation.http.routes import Track
    from instrumentation.telemetry import Telemetry


class Request(Protocol):
    """The request or connection that is being observed, as those below it see it.

    Attributes:
        telemetry: where it is measured.
        span: its server span.
        track: its route, once routing is done.
        began: when it did, as `time.perf_counter` says.
        blocked: seconds for which its code has blocked the event loop.
    """

    telemetry: Telemetry
    span: Span
    track: Track
    began: float
    blocked: float


class Excluded:
    """Stands in place of a request that is excluded from observation."""


EXCLUDED: Final = Excluded()

in_request: ContextVar[Request | Excluded | None] = ContextVar(
    "instrumentation_request", default=None
)
"""The request in this context; tasks and threads started from it inherit it."""

active: list[Telemetry] = []
"""Every instrumented application's telemetry, the oldest first."""


def current() -> Telemetry | None:
    """The telemetry of the request in context, else of the first instrumented application.

    None in an excluded request: a health check that asks the database would leave a trace of
    one statement each time.
    """
    found = in_request.get()
    if isinstance(found, Excluded):
        return None
    if found is not None:
        return found.telemetry
    return active[0] if active else None


def current_route() -> str:
    """The route of the request in context, as a label: empty outside of any request."""
    found = in_request.get()
    if found is None or isinstance(found, Excluded):
        return ""
    return found.track.label()
