"""One request that is sent, from before its first byte until nothing more of it can fail."""

from __future__ import annotations

import time
from typing import Any, Final

from opentelemetry import propagate, trace
from opentelemetry.trace import INVALID_SPAN, Span, Status, StatusCode

from instrumentation import exceptions
from instrumentation.http.attributes import span_method
from instrumentation.outbound import attributes
from instrumentation.telemetry import Telemetry

_FIRST_ERROR: Final = 400


class Call:
    """The span and the observation of one request.

    Both last until the response's headers are there, as the semantic conventions allow: how fast
    a body is read is often the reader's own pace. They are reported when the body is over, so
    that a connection which breaks in its middle is an error of this call; then they last until
    it broke.

    Arguments:
        traced: False where another instrumentation makes the span.
    """

    __slots__ = (
        "_began", "_ended_ns", "_labels", "_seconds", "_span", "_status", "_telemetry", "over",
        "taken",
    )  # fmt: skip

    def __init__(self, telemetry: Telemetry, request: Any, traced: bool) -> None:
        self.taken = False
        self._telemetry = telemetry
        self.over = False
        self._status = 0
        self._seconds = 0.0
        self._ended_ns: int | None = None
        self._span = self._start(request) if traced else INVALID_SPAN
        self._name(request)
        attributes.sent(request)
        self._began = time.perf_counter()

    def take(self, request: Any) -> None:
        """A transport of the user's sends `request` now: this call stands for it."""
        self.taken = True
        try:
            self._describe(request)
            self._name(request)
        except Exception as failure:
            self._telemetry.errors.report("outbound", failure)

    def answered(self, response: Any) -> None:
        """The headers of the response are here, and its connection is still open."""
        self._seconds = time.perf_counter() - self._began
        self._ended_ns = time.time_ns()
        self._status = response.status_code
        if self._span.is_recording():
            self._span.set_attributes(attributes.response(response))

    def broken(self, failure: Exception) -> None:
        """Observing the response failed: this call is over as far as we can see."""
        self._telemetry.errors.report("outbound", failure)
        self.end(None)

    def end(self, error: BaseException | None) -> None:
        """The body is over, or the request failed with `error`; only the first time counts."""
        if self.over:
            return
        self.over = True
        if error is not None or self._ended_ns is None:
            self._seconds = time.perf_counter() - self._began
            self._ended_ns = time.time_ns()
        try:
            self._report(error)
        except Exception as failure:
            self._telemetry.errors.report("outbound", failure)

    def _start(self, request: Any) -> Span:
        children = self._telemetry.children
        stand_in = children.stand_in()
        if stand_in is not None:
            return stand_in
        method = attributes.method(request)
        described = attributes.request(request, method, self._telemetry.settings)
        resent = attributes.resend_count(request)
        if resent:
            described["http.request.resend_count"] = resent
        return children.make(span_method(method), described)

    def _describe(self, request: Any) -> None:
        """Say again what is sent: the user's transport may have made another request of it."""
        if self._span.is_recording():
            method = attributes.method(request)
            self._span.update_name(span_method(method))
            self._span.set_attributes(attributes.request(request, method, self._telemetry.settings))

    def _name(self, request: Any) -> None:
        """Note the labels, and tell the server which span is its parent."""
        url = request.url
        self._labels = (attributes.method(request), url.host, str(attributes.port_of(url) or ""))
        if self._span is not INVALID_SPAN:
            propagate.inject(request.headers, trace.set_span_in_context(self._span))

    def _report(self, error: BaseException | None) -> None:
        status = str(self._status) if self._status else ""
        error_type = status if self._status >= _FIRST_ERROR else ""
        if error is not None:
            error_type = exceptions.error_type(error)
        duration = self._telemetry.families.outbound_duration.child(
            *self._labels, status, error_type
        )
        shown = trace.get_current_span() if self._span is INVALID_SPAN else self._span
        duration.observe_in(shown, self._seconds)
        try:
            if self._span.is_recording():
                self._tell(error, error_type)
        finally:
            self._span.end(self._ended_ns)

    def _tell(self, error: BaseException | None, error_type: str) -> None:
        if error is not None:
            exceptions.fail(self._span, error)
        elif error_type:
            self._span.set_attribute("error.type", error_type)
            self._span.set_status(Status(StatusCode.ERROR))
