"""The answer to a scrape: OpenMetrics or the plain text format, never rendered on the loop."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any, Final

import anyio.to_thread
from anyio import CapacityLimiter
from opentelemetry.sdk.resources import Resource
from prometheus_client import CollectorRegistry
from prometheus_client.core import InfoMetricFamily
from starlette.types import Scope, Send

from instrumentation.errors import InternalErrors
from instrumentation.export import kept
from instrumentation.export.kept import Rendered
from instrumentation.export.lines import Format
from instrumentation.export.pauses import Pauses
from instrumentation.export.workers import Workers

_NOT_A_LABEL = re.compile(r"[^a-zA-Z0-9_]")
_JOB_AND_INSTANCE = ("service.name", "service.instance.id")
_TARGET_HELP: Final = "Attributes of the service."


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
        self._rendered: dict[Any, Rendered | None] = {}
        self._target_info = {
            _NOT_A_LABEL.sub("_", name): str(value)
            for name, value in resource.attributes.items()
            if name not in _JOB_AND_INSTANCE
        }

    def render(self, accept: str) -> tuple[bytes, str]:
        """The body and its content type, for an Accept header."""
        into = Format(accept)
        return b"".join(_chunks(self._text(into))), into.content_type

    def _text(self, into: Format) -> Iterator[str]:
        yield from into.family(InfoMetricFamily("target", _TARGET_HELP, self._target_info))
        collectors = kept.collectors(self._registry)
        rendered = {}
        for collector in [self._registry] if collectors is None else collectors:
            known = collector in self._rendered
            found = self._rendered[collector] if known else Rendered.of(collector)
            rendered[collector] = found
            if found is not None and into.is_plain:
                yield from found.text(into)
            else:
                yield from _collected(collector, into)
        self._rendered = rendered  # those that are registered no more are gone
        yield into.end


def _collected(collector: Any, into: Format) -> Iterator[str]:
    for family in collector.collect():
        created = family.name + "_created"
        family.samples = [sample for sample in family.samples if sample.name != created]
        yield from into.family(family)


def _chunks(text: Iterable[str]) -> Iterator[bytes]:
    """The text in parts, with a pause between any two that took a while."""
    parts: list[str] = []
    pauses = Pauses()
    for part in text:
        parts.append(part)
        if pauses.due():
            yield "".join(parts).encode()
            parts.clear()
            pauses.take()
    yield "".join(parts).encode()


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
