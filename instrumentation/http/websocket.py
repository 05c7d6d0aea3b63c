"""One WebSocket connection: one span, its duration, its messages counted."""

from __future__ import annotations

import time
from typing import Any

from opentelemetry import trace
from opentelemetry.trace import SpanKind
from starlette.types import Message, Receive, Scope, Send
from starlette.websockets import WebSocketDisconnect

from instrumentation import exceptions
from instrumentation.http import attributes
from instrumentation.http.routes import UNMATCHED, Track, root
from instrumentation.telemetry import Telemetry

_ABNORMAL = 1006
"""The code for a connection that ended without a close frame (RFC 6455, 7.4.1)."""


class Connection:
    """Watches the messages of one connection, without a span for each."""

    def __init__(self, telemetry: Telemetry, scope: Scope, receive: Receive, send: Send) -> None:
        self.track = Track(root(scope))
        self.telemetry = telemetry
        self._receive = receive
        self._send = send
        self._close_code = _ABNORMAL
        self._counts = {"received": 0, "sent": 0}
        parent = telemetry.propagation.extract(scope)
        self.span = telemetry.tracer.start_span(
            "GET", parent, SpanKind.SERVER, attributes.server(scope, "GET")
        )
        self.context = trace.set_span_in_context(self.span, parent)
        self._began = time.perf_counter()

    async def receive(self) -> Message:
        """Receive for the application."""
        message = await self._receive()
        if message["type"] == "websocket.receive":
            self._counts["received"] += 1
        elif message["type"] == "websocket.disconnect" and self._close_code == _ABNORMAL:
            self._close_code = message.get("code") or 1005
        return message

    async def send(self, message: Message) -> None:
        """Send for the application."""
        await self._send(message)
        if message["type"] == "websocket.send":
            self._counts["sent"] += 1
        elif message["type"] == "websocket.close" and self._close_code == _ABNORMAL:
            self._close_code = message.get("code") or 1000

    def finish(self, error: BaseException | None) -> None:
        """The connection is over. Whatever fails here is ours alone."""
        try:
            self._write(error)
        except Exception as failure:
            self.telemetry.errors.report("websocket", failure)

    def _write(self, error: BaseException | None) -> None:
        route = self.track.route()
        families, label = self.telemetry.families, route or UNMATCHED
        families.websocket_duration.child(label, _code_label(self._close_code)).observe(
            time.perf_counter() - self._began
        )
        for direction, count in self._counts.items():
            if count:
                families.websocket_messages.child(label, direction).inc(count)
        try:
            if self.span.is_recording():
                self._describe(route, error)
        finally:
            self.span.end()

    def _describe(self, route: str | None, error: BaseException | None) -> None:
        described: dict[str, Any] = {"websocket.close_code": self._close_code}
        described |= {f"websocket.messages.{name}": n for name, n in self._counts.items()}
        if route is not None:
            described["http.route"] = route
            self.span.update_name(f"GET {route}")
        # That the peer left is how a loop of `receive_text()` ends.
        if isinstance(error, Exception) and not isinstance(error, WebSocketDisconnect):
            exceptions.fail(self.span, error)
        self.span.set_attributes(described)


def _code_label(code: int) -> str:
    """The registered codes as they are; of the free ranges, which a peer may choose from, one."""
    return str(code) if 1000 <= code < 1016 else f"{code // 1000}xxx"
