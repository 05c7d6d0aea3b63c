"""Attributes of a server span, as the semantic conventions 1.44 name them."""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import urlsplit

from starlette.types import Scope

METHODS: Final = frozenset(
    ("CONNECT", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "QUERY", "TRACE")
)
OTHER: Final = "_OTHER"
"""The label of a method that isn't in `METHODS`: a client can make up any number of them."""

DEFAULT_PORTS: Final = {"http": 80, "ws": 80, "https": 443, "wss": 443}


def known_method(method: str) -> str:
    """The method as a label: itself, or `OTHER` where the conventions don't know it."""
    return method if method in METHODS else OTHER


def span_method(method: str) -> str:
    """The method as a span's name has it."""
    return "HTTP" if method == OTHER else method


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
    if client := scope.get("client"):
        attributes["client.address"] = client[0]
        if client[1]:  # no port: a proxy's header named the client, and the peer is the proxy
            attributes["network.peer.address"] = client[0]
            attributes["network.peer.port"] = client[1]
    host = None
    for name, value in scope.get("headers", ()):
        if name == b"user-agent":
            attributes["user_agent.original"] = value.decode("latin-1")
        elif name == b"host":
            host = value.decode("latin-1")
    _add_server(attributes, host, scope, scheme)
    return {name: value for name, value in attributes.items() if value is not None}


def _add_server(attributes: dict[str, Any], host: str | None, scope: Scope, scheme: str) -> None:
    """The address that the client asked for; a malformed Host header says nothing."""
    try:
        parts = urlsplit(f"//{host}") if host else None
        address, port = (parts.hostname, parts.port) if parts else (None, None)
    except ValueError:
        return
    if parts is None:
        address, port = scope.get("server") or (None, None)
    if address:
        attributes["server.address"] = address
        attributes["server.port"] = port or DEFAULT_PORTS.get(scheme)
