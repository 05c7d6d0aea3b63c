"""Attributes of a server span, as the semantic conventions 1.44 name them."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Final
from urllib.parse import urlsplit

from starlette.types import Scope

METHODS: Final = frozenset(
    ("CONNECT", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "QUERY", "TRACE")
)
OTHER: Final = "_OTHER"
"""The label of a method that isn't in `METHODS`: a client can make up any number of them."""

DEFAULT_PORTS: Final = {"http": 80, "ws": 80, "https": 443, "wss": 443}


_KNOWN: Final = {method: method for method in METHODS}


class _Labels(dict[str, str]):
    def __missing__(self, method: str) -> str:
        return OTHER


class _Names(dict[str, str]):
    def __missing__(self, method: str) -> str:
        return method


# Looked up, and not called: both are asked for with every request.
known_method: Final = _Labels(_KNOWN).__getitem__
"""The method as a label: itself, or `OTHER` where the conventions don't know it."""

span_method: Final = _Names(_KNOWN | {OTHER: "HTTP"}).__getitem__
"""The method as a span's name has it."""


def server(scope: Scope, method: str) -> dict[str, Any]:
    """What is known before the application runs; the query string is left out on purpose."""
    scheme = scope.get("scheme", "http")
    attributes: dict[str, Any] = {
        "http.request.method": method,
        "url.scheme": scheme,
        "url.path": scope["path"],
        "network.protocol.version": scope.get("http_version", "1.1"),
    }
    if method is OTHER:
        attributes["http.request.method_original"] = scope["method"][:64]
    client = scope.get("client")
    if client and client[0] is not None:
        attributes["client.address"] = client[0]
        if client[1]:  # no port: a proxy's header named the client, and the peer is the proxy
            attributes["network.peer.address"] = client[0]
            attributes["network.peer.port"] = client[1]
    host = None
    for name, value in scope.get("headers", ()):
        if name == b"user-agent":
            attributes["user_agent.original"] = value.decode("latin-1")
        elif name == b"host":
            host = value
    attributes.update(_asked(host, scheme) if host else _listening(scope, scheme))
    return attributes


@lru_cache(maxsize=256)
def _asked(host: bytes, scheme: str) -> dict[str, Any]:
    """The address that the client asked for; a malformed Host header says nothing."""
    try:
        parts = urlsplit(f"//{host.decode('latin-1')}")
        return _server(parts.hostname, parts.port, scheme)
    except ValueError:
        return {}


def _listening(scope: Scope, scheme: str) -> dict[str, Any]:
    """The address that the server listens on, where the client named none."""
    address, port = scope.get("server") or (None, None)
    return _server(address, port, scheme)


def _server(address: str | None, port: int | None, scheme: str) -> dict[str, Any]:
    if not address:
        return {}
    port = port or DEFAULT_PORTS.get(scheme)
    return {"server.address": address} | ({"server.port": port} if port else {})
