"""One WebSocket connection: one span, its duration, its messages counted."""

from __future__ import annotations

import time
from typing import Any, Final

from opentelemetry import trace
from opentelemetry.trace import SpanKind, Status, StatusCode
from starlette.types import Message, Receive, Scope, Send
from starlette.websockets import WebSocketDisconnect

from instrumentation import exceptions
from instrumentation.http import attributes
from instrumentation.http.capture import Capture
from instrumentation.http.routes import UNMATCHED, Track, root
from instrumentation.runtime.loop.toll import Toll
from instrumentation.telemetry import Telemetry

_NORMAL: Final = 1000
_NO_CODE: Final = 1005
_ABNORMAL: Final = 1006
"""The code for a connection that ended without a close frame (RFC 6455, 7.4.1)."""

REJECTED: Final = "rejected"
"""In place of a close code: the handshake was refused, so there never was a connection."""

_SWITCHING, _FORBIDDEN, _SERVER_ERROR = 101, 403, 500


class Connection:
    """Watches the messages of one connection, without a span for each.

    It is over at the first close or disconnect, whatever the application does after that. Until
    it is accepted it is an HTTP request, with the status of its answer.
    """

    def __init__(
        self,
        telemetry: Telemetry,
        scope: Scope,
        receive: Receive,
        send: Send,
        capture: Capture | None = None,
    ) -> None:
        self.track = Track()
        self.track.root = root(scope)
        self.telemetry = telemetry
        self.blocked = 0.0
        self._receive = receive
        self._send = send
        self._capture = capture
        self._status = 0
        self._code = 0
        self._toll = Toll()
        self._counts = {"received": 0, "sent": 0}
        self._seconds = 0.0
        self._ended_ns = 0
        described = attributes.server(scope, "GET")
        if capture is not None:
            described.update(capture.request(scope))
        parent, links = telemetry.propagation.extract(scope)
        self.span = telemetry.tracer.start_span("GET", parent, SpanKind.SERVER, described, links)
        self.context = trace.set_span_in_context(self.span, parent)
        self.began = time.perf_counter()

    async def receive(self) -> Message:
        """Receive for the application."""
        message = await self._receive()
        if message["type"] == "websocket.receive":
            self._counts["received"] += 1
        elif message["type"] == "websocket.disconnect":
            self._end(message.get("code") or _NO_CODE)
        return message

    async def send(self, message: Message) -> None:
        """Send for the application."""
        await self._send(message)
        kind = message["type"]
        if kind == "websocket.send":
            self._counts["sent"] += 1
        elif kind == "websocket.accept":
            self._answer(_SWITCHING, message)
        elif kind == "websocket.http.response.start":
            self._answer(message["status"], message)
        elif kind == "websocket.close":
            self._status = self._status or _FORBIDDEN
            self._end(message.get("code") or _NORMAL)

    def finish(self, error: BaseException | None) -> None:
        """The application returned, or raised `error`. Whatever fails here is ours alone."""
        try:
            self._end(_ABNORMAL)
            left = isinstance(error, WebSocketDisconnect | OSError)
            if not self._status and not left:
                # Neither accepted nor refused: the server answers 500 in the application's place.
                self._status = _SERVER_ERROR
            # That the peer left is how a loop of `receive_text()` ends.
            self._write(None if left else error)
        except Exception as failure:
            self.telemetry.errors.report("websocket", failure)
        self.track.end()

    def _answer(self, status: int, message: Message) -> None:
        self._status = status
        if self._capture is not None and self.span.is_recording():
            self.span.set_attributes(self._capture.response(message.get("headers", ())))

    def _end(self, code: int) -> None:
        if not self._ended_ns:
            self._code = code
            self._seconds = time.perf_counter() - self.began
            self._ended_ns = time.time_ns()

    def _write(self, error: BaseException | None) -> None:
        route = self.track.settle()
        families, label = self.telemetry.families, route or UNMATCHED
        accepted = self._status == _SWITCHING
        close_code = _code_label(self._code) if accepted else REJECTED
        families.websocket_duration.child(label, close_code).observe(self._seconds)
        for direction, count in self._counts.items():
            if count:
                families.websocket_messages.child(label, direction).inc(count)
        try:
            if self.span.is_recording():
                self._describe(route, error, accepted)
        finally:
            self.span.end(self._ended_ns)

    def _describe(self, route: str | None, error: BaseException | None, accepted: bool) -> None:
        described: dict[str, Any] = {
            f"websocket.messages.{name}": n for name, n in self._counts.items()
        }
        described |= self._toll.attributes(self, self.began + self._seconds)
        if self._status:
            described["http.response.status_code"] = self._status
        if accepted:
            described["websocket.close_code"] = self._code
        if route is not None:
            described["http.route"] = route
            self.span.update_name(f"GET {route}")
        if error is not None:
            exceptions.fail(self.span, error)
        elif self._status >= _SERVER_ERROR:
            described["error.type"] = str(self._status)
            self.span.set_status(Status(StatusCode.ERROR))
        self.span.set_attributes(described)


def _code_label(code: int) -> str:
    """The registered codes as they are; of the free ranges, which a peer may choose from, one."""
    return str(code) if 1000 <= code < 1016 else f"{code // 1000}xxx"
