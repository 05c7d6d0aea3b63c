"""Spans over OTLP/HTTP: the SDK's exporter, with our encoding.

It is loaded where spans are sent and nowhere else: protobuf and an HTTP client come with it.
"""

from __future__ import annotations

import inspect
import os
from collections.abc import Sequence
from typing import Any, Final

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExportResult

from instrumentation.export import encode

try:
    from opentelemetry.exporter.http.transport._urllib3 import Urllib3HTTPTransport
except ImportError:
    Urllib3HTTPTransport = None  # type: ignore[assignment,misc]

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

    Its client is private: where a release has none of that name, the SDK encodes.

    Arguments:
        endpoint: the whole URL; by default what the standard variables say.
        timeout: longest time that an export may take, in seconds.
    """

    def __init__(self, endpoint: str | None, timeout: float) -> None:
        super().__init__(endpoint, timeout=timeout, **_transport(endpoint))

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Send the spans and wait for the answer."""
        client = getattr(self, "_client", None)
        if client is None or self._shutdown:
            return super().export(spans)
        sent = client.export(encode.spans(spans)).success
        return SpanExportResult.SUCCESS if sent else SpanExportResult.FAILURE


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
