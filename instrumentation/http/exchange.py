"""One request from its first byte to its last: span, duration and what became of it."""

from __future__ import annotations

import sys
import time
from typing import Any

from opentelemetry.trace import SpanKind, Status, StatusCode
from starlette.exceptions import HTTPException
from starlette.types import Message, Receive, Scope, Send

from instrumentation import exceptions
from instrumentation.attached import NOBODY, attach, detach, within
from instrumentation.context import in_request
from instrumentation.http import attributes
from instrumentation.http.capture import Capture
from instrumentation.http.routes import UNMATCHED, Track, root
from instrumentation.runtime.loop.toll import Toll
from instrumentation.telemetry import Telemetry
from instrumentation.tracer import Unsampled, tell

_FIRST_FINAL = 200
_SERVER_ERROR = 500
_INCOMPLETE = "incomplete_response"
"""The error type of a response that the application began and never ended, without an error."""


class Exchange:
    """Watches the messages of one request, and reports when its response is over.

    The response is over at its last body message, its trailers or its `http.response.pathsend`:
    background tasks run after that and are no part of the request's duration. A response of 5xx,
    or one behind an exception, is reported only when the application returns or raises, because
    what became of the exception shows last; its duration is the same.
    """

    # What few requests ever change costs nothing to begin with.
    blocked = 0.0
    _status = 0
    _trailers = False
    _aborted = False
    _seconds = 0.0
    _ended_ns = 0
    _reported = False
    _traced = False
    _recording = False
    _capture: Capture | None = None
    _toll: Toll | None = None

    def __init__(
        self,
        telemetry: Telemetry,
        scope: Scope,
        receive: Receive,
        send: Send,
        capture: Capture | None = None,
    ) -> None:
        track = self.track = Track()
        if scope.get("root_path"):
            track.root = root(scope)
        self.telemetry = telemetry
        self._receive = receive
        self._send = send
        # uvicorn drops what is sent to a client that is gone, and says so nowhere else.
        self._server = getattr(send, "__self__", None)
        if capture is not None:
            self._capture = capture
        method = self._method = attributes.known_method(scope["method"])
        scheme = self._scheme = str(scope.get("scheme", "http"))
        self._active = telemetry.families.active_requests[method, scheme]
        parent, links = telemetry.propagation.extract(scope)
        name = attributes.span_method(method)
        span = self.span = telemetry.tracer.start(
            name, parent, SpanKind.SERVER, _described, scope, method, capture, links=links
        )
        # Most are not sampled, and nobody wants to know anything of them.
        if not isinstance(span, Unsampled):
            self._traced = True
            self._recording = span.is_recording()
        if self._recording or telemetry.settings.blocking_header:
            self._toll = Toll()
        self.context = within(span, parent)
        self._active.began()
        self.began = time.perf_counter()

    async def receive(self) -> Message:
        """Receive for the application; a disconnect before the end is an abort."""
        message = await self._receive()
        if message["type"] == "http.disconnect" and not self.track.handed_over:
            self._aborted = True
        return message

    async def send(self, message: Message) -> None:
        """Send for the application, and see the end of the response."""
        kind, track = message["type"], self.track
        began = last = False
        if kind == "http.response.body":
            last = not message.get("more_body", False) and not self._trailers
        elif kind != "http.response.start":
            last = self._is_last(message, kind)
        elif not track.responding:  # a second start is the server's to refuse
            began, message = True, self._start(message)
        if last:
            self._aborted = self._aborted or getattr(self._server, "disconnected", False)
            track.handed_over = True
            # The server starts the connection's timer, which keeps the context that it is started
            # in until the next request. This one would stay in memory with it, and in the garbage
            # collector's way; so would its span, unless a log record of the server's wants it.
            mine = in_request.set(None)
            token = attach(self.context if self._traced else NOBODY)
        try:
            await self._send(message)
        except OSError:
            # Servers raise it for a send that came too late: the client is gone.
            self._aborted = self._aborted or last or not track.handed_over
            raise
        except BaseException:
            self._take_back(began)
            raise
        finally:
            if last:
                in_request.reset(mine)
                detach(token)
        if last and not self._ended_ns:
            self._end()
            if self._status < _SERVER_ERROR and track.error is None:
                self._report(None)

    def _take_back(self, began: bool) -> None:
        """The server refused the message (a header with a line break in it), or was cancelled."""
        if self._ended_ns:
            return
        self.track.handed_over = False
        if began:
            self.track.responding = False

    def _start(self, message: Message) -> Message:
        self._aborted = self._aborted or getattr(self._server, "disconnected", False)
        if self._aborted:
            return message
        status = self._status = message["status"]
        # An informational response (1xx) has another one behind it.
        self.track.responding = status >= _FIRST_FINAL
        self._trailers = message.get("trailers", False)
        if status >= _SERVER_ERROR and self.track.error is None:
            # What answers for an exception sends while it handles it: a handler, or the
            # ServerErrorMiddleware of a mounted application, which raises it again afterwards.
            self.track.error = sys.exception()
        if self._capture is not None and self._recording:
            self.span.set_attributes(self._capture.response(message.get("headers", ())))
        if self._toll is None or not self.telemetry.settings.blocking_header:
            return message
        return self._toll.tell(self, message)

    def finish(self, error: BaseException | None) -> None:
        """The application returned, or raised `error`."""
        if not self._reported:
            self._conclude(error)
        self.track.end()

    def _conclude(self, error: BaseException | None) -> None:
        if not self._ended_ns:
            if self.track.broke_off:
                # A middleware may have tried to answer, after the response's start.
                error = self.track.error
            self.track.broke_off = self.track.broke_off or error is not None
            if not self.track.responding and not self._aborted:
                # No response was started: the server answers 500 in the application's place,
                # for a cancellation too.
                self._status = _SERVER_ERROR
            self._end()
        elif error is not None:
            if error is self.track.error:
                # Nobody answered for it: a BaseHTTPMiddleware ends the response that its inner
                # application broke off, and raises afterwards.
                self.track.broke_off = True
            error = None  # any other came after the end: a background task's
        self._report(error)

    def _report(self, error: BaseException | None) -> None:
        """Write the observation and end the span; once. Whatever fails here is ours alone."""
        self._reported = True
        track, status = self.track, self._status
        error = error or track.error
        try:
            ended_well = status < _SERVER_ERROR and track.handed_over and not track.broke_off
            error_type = "" if ended_well else self._error_type(error)
            route = track.settle()
            label = route or UNMATCHED
            families, method = self.telemetry.families, self._method
            duration = families.request_duration[
                method, label, str(status) if status else "", self._scheme, error_type
            ]
            if self._recording:
                duration.observe_in(self.span, self._seconds)
            else:
                duration.observe_soon(self._seconds)
            if self._aborted:
                families.aborted_requests[method, label].inc()
            if self._traced:
                self._trace(route, error_type, error)
        except Exception as failure:
            self.telemetry.errors.report("http", failure)

    def _trace(self, route: str | None, error_type: str, error: BaseException | None) -> None:
        try:
            if self.span.is_recording():
                self._describe(route, error_type, error)
        finally:
            self.span.end(self._ended_ns)

    def _is_last(self, message: Message, kind: str) -> bool:
        if kind == "http.response.zerocopysend":
            return not message.get("more_body", False) and not self._trailers
        if kind == "http.response.trailers":
            return not message.get("more_trailers", False)
        return kind == "http.response.pathsend" and not self._trailers

    def _end(self) -> None:
        self._seconds = time.perf_counter() - self.began
        self._ended_ns = time.time_ns()
        self._active.ended()

    def _error_type(self, error: BaseException | None) -> str:
        """Of a request that did not end well: 5xx, or a response that began and did not end.

        Empty where the client is gone.
        """
        if self._status >= _SERVER_ERROR:
            if error is None or self._is_answer(error):
                return str(self._status)
            return exceptions.error_type(error)
        if self._aborted:
            return ""
        return _INCOMPLETE if error is None else exceptions.error_type(error)

    def _is_answer(self, error: BaseException) -> bool:
        """Whether `error` is no failure but the way to ask for the status that was sent."""
        return isinstance(error, HTTPException) and error.status_code == self._status

    def _describe(self, route: str | None, error_type: str, error: BaseException | None) -> None:
        span = self.span
        described: dict[str, Any] = {}
        if self._toll is not None:
            described.update(self._toll.attributes(self, self.began + self._seconds))
        if self._status:
            described["http.response.status_code"] = self._status
        if route is not None:
            described["http.route"] = route
        if self._aborted:
            described["http.response.aborted"] = True
        if error_type:
            described["error.type"] = error_type
            span.set_status(Status(StatusCode.ERROR))
            if error is not None and not self._is_answer(error):
                exceptions.record(span, error)
        name = None if route is None else f"{attributes.span_method(self._method)} {route}"
        tell(span, described, name)


def _described(scope: Scope, method: str, capture: Capture | None) -> dict[str, Any]:
    described = attributes.server(scope, method)
    if capture is not None:
        for name, value in capture.request(scope).items():
            described[name] = tuple(value) if isinstance(value, list) else value
    return described
