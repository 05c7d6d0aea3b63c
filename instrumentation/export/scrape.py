"""The answer to a scrape: OpenMetrics or the plain text format, never rendered on the loop."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

import anyio.to_thread
from anyio import CapacityLimiter
from opentelemetry.sdk.resources import Resource
from prometheus_client import CollectorRegistry
from prometheus_client.core import InfoMetricFamily
from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics_core import Metric
from starlette.types import Scope, Send

from instrumentation.errors import InternalErrors
from instrumentation.export.workers import Workers

_NOT_A_LABEL = re.compile(r"[^a-zA-Z0-9_]")
_JOB_AND_INSTANCE = ("service.name", "service.instance.id")


class Exposition:
    """What a scrape reads: the registry's families and `target_info`.

    Where several processes share a directory, the families of all of them, added up.

    `_created` series are left out: they double the families' size, and nothing here reads them.
    """

    def __init__(
        self,
        registry: CollectorRegistry,
        resource: Resource,
        workers: Workers | None = None,
    ) -> None:
        self._registry = registry if workers is None else workers
        self._target_info = {
            _NOT_A_LABEL.sub("_", name): str(value)
            for name, value in resource.attributes.items()
            if name not in _JOB_AND_INSTANCE
        }

    def collect(self) -> Iterator[Metric]:
        """The families, as prometheus-client's renderers ask for them."""
        yield InfoMetricFamily("target", "Attributes of the service.", self._target_info)
        for family in self._registry.collect():
            created = family.name + "_created"
            family.samples = [sample for sample in family.samples if sample.name != created]
            yield family

    def render(self, accept: str) -> tuple[bytes, str]:
        """The body and its content type, for an Accept header."""
        encode, content_type = choose_encoder(accept)
        return encode(self), content_type


async def answer(exposition: Exposition, errors: InternalErrors, scope: Scope, send: Send) -> None:
    """Send the metrics, or 503 and the reason where they can't be read.

    The thread is one of our own: a scrape that waited for anyio's shared threads would be blind
    exactly when these have run out.
    """
    accept = _header(scope.get("headers", ()), b"accept")
    status = 200
    try:
        body, content_type = await anyio.to_thread.run_sync(
            exposition.render, accept, limiter=CapacityLimiter(1)
        )
    except Exception as error:
        errors.report("scrape", error)
        status, body, content_type = 503, f"{error}\n".encode(), "text/plain; charset=utf-8"
    headers = [
        (b"content-type", content_type.encode()),
        (b"content-length", str(len(body)).encode()),
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})


def _header(headers: Iterable[tuple[bytes, bytes]], name: bytes) -> str:
    return ",".join(value.decode("latin-1") for key, value in headers if key == name)
