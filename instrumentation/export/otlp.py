"""Spans over OTLP/HTTP: the SDK's exporter, with our encoding.

It is loaded where spans are sent and nowhere else: protobuf and an HTTP client come with it.
"""

from __future__ import annotations

import inspect
import logging
import os
import time
from collections.abc import Sequence
from typing import Any, Final

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExportResult
from urllib3.exceptions import HTTPError

from instrumentation.export import encode, pauses
from instrumentation.export.queue import AwayError
from instrumentation.seldom import Seldom

try:
    from opentelemetry.exporter.http.transport._urllib3 import Urllib3HTTPTransport
except ImportError:
    Urllib3HTTPTransport = None  # type: ignore[assignment,misc]

logger = logging.getLogger("instrumentation")

_silent: Final = logging.getLogger("instrumentation.export.silent")
_silent.disabled = True

_IDLE_SECONDS: Final = 0.2
_LATER: Final = (429, 502, 503, 504)
"""Statuses that OTLP has a client try again behind."""
_TRANSPORT: Final = "_transport"
_ENDPOINTS: Final = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
_FOR_REQUESTS: Final = (
    "ALL_PROXY",
    "HTTP_PROXY",
    "NETRC",
    "OTEL_PYTHON_EXPORTER_OTLP_HTTP_CREDENTIAL_PROVIDER",
    "OTEL_PYTHON_EXPORTER_OTLP_HTTP_TRACES_CREDENTIAL_PROVIDER",
)
"""Variables that requests heeds, in capitals or not, or that name a session of requests."""


class DirectExporter(OTLPSpanExporter):
    """The SDK's OTLP exporter, with its configuration and its retries, but our encoding.

    Its client is private: where a release has none of that name, the SDK encodes. Of a collector
    that is away, one log line a minute tells in place of the SDK's four for each batch.

    Arguments:
        endpoint: the whole URL; by default what the standard variables say.
        timeout: longest time that an export may take, in seconds.
    """

    def __init__(self, endpoint: str | None, timeout: float) -> None:
        super().__init__(endpoint, timeout=timeout, **_transport(endpoint))
        self._seldom = Seldom()
        self._ended = float("-inf")
        if hasattr(self, "_client"):
            self._client._logger = _silent

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Send the spans and wait for the answer.

        Raises:
            AwayError: nobody took them, and they can be sent again.
        """
        client = getattr(self, "_client", None)
        if client is None or self._shutdown:
            return super().export(spans)
        # Where one batch follows another, there is no time for patience: the queue would run over.
        patient = time.monotonic() - self._ended > _IDLE_SECONDS
        answer = client.export(encode.spans(pauses.between(spans, patient=patient)))
        self._ended = time.monotonic()
        if answer.success:
            return SpanExportResult.SUCCESS
        away = not self._shutdown and _is_away(answer.status_code, answer.error)
        # Of a connection that failed, urllib3 says why in the error's `reason`.
        reason = getattr(answer.error, "reason", answer.error) or answer.reason
        self._complain(answer.status_code, reason, away)
        if away:
            raise AwayError
        return SpanExportResult.FAILURE

    def _complain(self, status: int | None, reason: object, away: bool) -> None:
        if self._shutdown or not self._seldom.is_news():
            return
        logger.warning(
            "%s takes no spans (%s), %s; OTEL_EXPORTER_OTLP_ENDPOINT says where to send them, and "
            "OTEL_TRACES_EXPORTER=none sends none",
            self._endpoint,
            f"{status} {reason}" if status else reason,
            "so they wait in the queue" if away else "so they are lost",
        )


def _is_away(status: int | None, error: Exception | None) -> bool:
    if status is not None:
        return status in _LATER
    # A header or an address that can't be is a ValueError as well.
    return isinstance(error, OSError | HTTPError) and not isinstance(error, ValueError)


def _transport(endpoint: str | None) -> dict[str, Any]:
    """The argument that has urllib3 alone send to a plain address, where a release knows it.

    The SDK sends with requests otherwise. It is built upon urllib3, and puts 8,000 objects in the
    garbage collector's way for good.
    """
    set_ones = (os.environ.get(name) for name in _ENDPOINTS)
    address = endpoint or next(filter(None, set_ones), "http://localhost:4318")
    special = any(os.environ.get(name) or os.environ.get(name.lower()) for name in _FOR_REQUESTS)
    known = _TRANSPORT in inspect.signature(OTLPSpanExporter.__init__).parameters
    if special or not known or not address.startswith("http://") or Urllib3HTTPTransport is None:
        return {}
    return {_TRANSPORT: Urllib3HTTPTransport()}
