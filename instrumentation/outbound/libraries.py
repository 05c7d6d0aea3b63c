"""httpx and its successor httpx2: the same classes under two names."""

from __future__ import annotations

import sys
from functools import lru_cache
from importlib import import_module
from types import ModuleType
from typing import Any, Final

from instrumentation.outbound.bodies import AsyncBody, Body

_THEIRS: Final = "opentelemetry.instrumentation.httpx"
_SENDING: Final = {"handle_request", "handle_async_request"}
_TEST_CLIENT: Final = "starlette.testclient"


class Library:
    """What the observation needs of one of the two.

    Attributes:
        sent_by: the transports that send through a socket; they are observed themselves.
    """

    def __init__(self, module: ModuleType) -> None:
        self._instrumentor = f"{module.__name__.upper()}ClientInstrumentor"
        self.client: type[Any] = module.Client
        self.async_client: type[Any] = module.AsyncClient
        self.transport: type[Any] = module.HTTPTransport
        self.async_transport: type[Any] = module.AsyncHTTPTransport
        self.sent_by = (self.transport, self.async_transport)
        self._in_process = (module.ASGITransport, module.WSGITransport)
        # A response's stream has to be of the library's own kind.
        self.body: type[Any] = type("ObservedBody", (Body, module.SyncByteStream), {})
        self.async_body: type[Any] = type("ObservedBody", (AsyncBody, module.AsyncByteStream), {})

    def is_traced(self, transport: object) -> bool:
        """True where OpenTelemetry's own instrumentation of this library makes the spans.

        It wraps the class for every client, or the transport of one client.
        """
        theirs = sys.modules.get(_THEIRS)
        if theirs is None:
            return False
        instrumentor = getattr(theirs, self._instrumentor, None)
        if instrumentor is not None and instrumentor().is_instrumented_by_opentelemetry:
            return type(transport) in self.sent_by
        return _is_wrapped(transport)

    def is_of_the_users(self, transport: object) -> bool:
        """True for a transport that is not observed itself and that leads out of the process.

        One of the library's own is none, unless somebody wrapped this very one: a wrapper that
        is older than our hooks goes round them. Starlette's test client and the in-process
        transports stand for the caller of the application; what they send is no call of its own.
        """
        kind = type(transport)
        if kind in self.sent_by:
            return _is_wrapped(transport)
        if isinstance(transport, self._in_process):
            return False
        return not kind.__module__.startswith(_TEST_CLIENT)


def _is_wrapped(transport: object) -> bool:
    return bool(_SENDING & vars(transport).keys())


@lru_cache
def named(name: str) -> Library:
    """One of the two, which the application has imported."""
    return Library(import_module(name))
