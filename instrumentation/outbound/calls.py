"""A span and an observation for each request that httpx sends.

The span is made by `opentelemetry-instrumentation-httpx`, held to the stable semantic
conventions; its hooks take the query string out of the URL. The observation is ours:
the instrumentation measures into an OpenTelemetry meter only, and neither it nor its hooks see
the end of a request that failed.
"""

from __future__ import annotations

import os
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Final

import httpx
from opentelemetry.instrumentation.httpx import (
    HTTPXClientInstrumentor,
    RequestInfo,
    ResponseInfo,
)
from opentelemetry.instrumentation.utils import is_http_instrumentation_enabled, unwrap
from opentelemetry.trace import Span
from wrapt import wrap_function_wrapper

from instrumentation import exceptions, redaction
from instrumentation.context import current
from instrumentation.http.attributes import DEFAULT_PORTS, known_method
from instrumentation.outbound.provider import CurrentProvider
from instrumentation.telemetry import Telemetry

_OPT_IN: Final = "OTEL_SEMCONV_STABILITY_OPT_IN"
_FIRST_ERROR: Final = 400
_OLD_URL: Final = "http.url"

_installed: set[Telemetry] = set()
_spans_are_ours = False
_span: ContextVar[Span | None] = ContextVar("instrumentation_outbound_span", default=None)


def install(telemetry: Telemetry) -> None:
    """Observe httpx's transports for `telemetry`; they are wrapped once for all applications."""
    global _spans_are_ours
    if not _installed:
        # A singleton. Where the user has it on already, the spans are theirs and stay so.
        instrumentor = HTTPXClientInstrumentor()
        _spans_are_ours = not instrumentor.is_instrumented_by_opentelemetry
        if _spans_are_ours:
            with _stable_names():
                instrumentor.instrument(
                    tracer_provider=CurrentProvider(),
                    request_hook=_describe,
                    async_request_hook=_describe_async,
                    response_hook=_describe_answer,
                    async_response_hook=_describe_answer_async,
                )
        wrap_function_wrapper(httpx, "HTTPTransport.handle_request", _measured)
        wrap_function_wrapper(httpx, "AsyncHTTPTransport.handle_async_request", _measured_async)
    _installed.add(telemetry)
    telemetry.on_uninstrument(lambda: _uninstall(telemetry))


def _uninstall(telemetry: Telemetry) -> None:
    _installed.discard(telemetry)
    if not _installed:
        unwrap(httpx.HTTPTransport, "handle_request")
        unwrap(httpx.AsyncHTTPTransport, "handle_async_request")
        if _spans_are_ours:
            HTTPXClientInstrumentor().uninstrument()


@contextmanager
def _stable_names() -> Iterator[None]:
    """Ask for the stable names while the instrumentation looks, once in the process."""
    before = os.environ.get(_OPT_IN)
    asked = [item.strip() for item in (before or "").split(",") if item.strip()]
    if not {"http", "http/dup"} & set(asked):
        os.environ[_OPT_IN] = ",".join([*asked, "http"])
    try:
        yield
    finally:
        if before is None:
            os.environ.pop(_OPT_IN, None)
        else:
            os.environ[_OPT_IN] = before


def _describe(span: Span, request: RequestInfo) -> None:
    """Say what is asked for, in the stable names, and of the query what the settings allow.

    Where another instrumentation was first in the process, the names are fixed to the old ones:
    then the stable ones stand beside them, and the old URL is told the same way.
    """
    _span.set(span)
    if not span.is_recording():
        return
    url = httpx.URL(str(request.url))
    shown = str(url.copy_with(query=None, fragment=None, userinfo=b"")) + _query(url)
    described: dict[str, str | int] = {
        "http.request.method": known_method(request.method.decode()),
        "url.full": shown,
        "server.address": url.host,
    }
    port = url.port or DEFAULT_PORTS.get(url.scheme)
    if port is not None:
        described["server.port"] = port
    if _OLD_URL in (getattr(span, "attributes", None) or {}):
        described[_OLD_URL] = shown
    span.set_attributes(described)


def _query(url: httpx.URL) -> str:
    telemetry = current()
    if telemetry is None or not telemetry.settings.record_query or not url.query:
        return ""
    return "?" + redaction.query(url.query.decode("latin-1"), telemetry.settings.query_allowed)


async def _describe_async(span: Span, request: RequestInfo) -> None:
    _describe(span, request)


def _describe_answer(span: Span, request: RequestInfo, response: ResponseInfo) -> None:
    if span.is_recording():
        span.set_attribute("http.response.status_code", response.status_code)
        if response.status_code >= _FIRST_ERROR:
            span.set_attribute("error.type", str(response.status_code))


async def _describe_answer_async(span: Span, request: RequestInfo, response: ResponseInfo) -> None:
    _describe_answer(span, request, response)


def _measured(
    handle: Callable[..., httpx.Response], transport: object, args: Any, kwargs: Any
) -> httpx.Response:
    call = Call(args, kwargs)
    try:
        response = handle(*args, **kwargs)
    except BaseException as error:
        call.end(None, error)
        raise
    call.end(response, None)
    return response


async def _measured_async(
    handle: Callable[..., Awaitable[httpx.Response]], transport: object, args: Any, kwargs: Any
) -> httpx.Response:
    call = Call(args, kwargs)
    try:
        response = await handle(*args, **kwargs)
    except BaseException as error:
        call.end(None, error)
        raise
    call.end(response, None)
    return response


class Call:
    """One outbound request under way."""

    __slots__ = ("_began", "_request", "_telemetry")

    def __init__(self, args: Any, kwargs: Any) -> None:
        self._request: httpx.Request = args[0] if args else kwargs["request"]
        found = current() if is_http_instrumentation_enabled() else None
        self._telemetry = found if found in _installed else None
        _span.set(None)
        self._began = time.perf_counter()

    def end(self, response: httpx.Response | None, error: BaseException | None) -> None:
        """The response's headers are here, or the request failed with `error`."""
        if self._telemetry is None:
            return
        seconds = time.perf_counter() - self._began
        try:
            values = _labels(self._request, response, error)
            duration = self._telemetry.families.outbound_duration.child(*values)
            duration.observe_in(_span.get(), seconds)
        except Exception as failure:
            self._telemetry.errors.report("outbound", failure)


def _labels(
    request: httpx.Request, response: httpx.Response | None, error: BaseException | None
) -> tuple[str, ...]:
    url = request.url
    status = "" if response is None else str(response.status_code)
    failed = response is not None and response.status_code >= _FIRST_ERROR
    return (
        known_method(request.method),
        url.host,
        str(url.port or DEFAULT_PORTS.get(url.scheme) or ""),
        status,
        exceptions.error_type(error) if error is not None else status if failed else "",
    )
