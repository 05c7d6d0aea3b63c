"""What a client span says, as the semantic conventions 1.44 name it."""

from __future__ import annotations

from typing import Any, Final

from instrumentation import redaction
from instrumentation.http.attributes import DEFAULT_PORTS, OTHER, known_method
from instrumentation.settings import Settings

_RESENT: Final = "instrumentation.sent"


def request(request: Any, method: str, settings: Settings) -> dict[str, Any]:
    """What is known before the request is sent."""
    url = request.url
    described: dict[str, Any] = {
        "http.request.method": method,
        "server.address": url.host,
        "url.full": address(url, settings),
    }
    port = port_of(url)
    if port is not None:
        described["server.port"] = port
    if method == OTHER:
        described["http.request.method_original"] = request.method[:64]
    return described


def response(response: Any) -> dict[str, Any]:
    """What its headers and its connection tell."""
    described: dict[str, Any] = {"http.response.status_code": response.status_code}
    version = str(response.http_version).removeprefix("HTTP/")
    if version:
        described["network.protocol.version"] = (
            version.removesuffix(".0") if version[0] > "1" else version
        )
    stream = response.extensions.get("network_stream")
    peer = stream.get_extra_info("server_addr") if stream is not None else None
    if isinstance(peer, tuple) and len(peer) > 1:
        described["network.peer.address"], described["network.peer.port"] = peer[:2]
    return described


def method(request: Any) -> str:
    """The method as spans and metrics name it."""
    return known_method(request.method)


def port_of(url: Any) -> int | None:
    """The port that is asked, the scheme's own where the address names none."""
    port: int | None = url.port
    return DEFAULT_PORTS.get(url.scheme) if port is None else port


def address(url: Any, settings: Settings) -> str:
    """The address without user name and fragment, and of its query what the settings allow."""
    path, _, query = url.raw_path.decode("latin-1").partition("?")
    shown = f"{url.scheme}://{url.netloc.decode('latin-1')}{path}"
    if not query or not settings.record_query:
        return shown
    return f"{shown}?{redaction.query(query, settings.query_allowed)}"


def resend_count(request: Any) -> int:
    """How often this request was sent before, as far as it or its redirects tell."""
    count: int = request.extensions.get(_RESENT, 0)
    return count


def sent(request: Any) -> None:
    """Count that the request is sent.

    httpx hands the extensions of a request on to the request that follows a redirect, and an
    authentication or a retry sends the very same one: the count goes with them.
    """
    request.extensions[_RESENT] = resend_count(request) + 1
