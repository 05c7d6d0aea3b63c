"""A span and an observation for each request that httpx or httpx2 sends.

The hooks are ours, and not those of `opentelemetry-instrumentation-httpx` 0.66b1: that one ends
its span at the headers, so a body that breaks off is a success; it counts no resends, sees no
transport but the libraries' own, keeps the query string, has its names fixed by whoever was first
in the process, and reads the address four times, which makes it the dearest part of a request.
Where a user has it on, before or after us, the spans are theirs and only the observation is ours.

Every request passes the library's transport, whenever its client was made, so that is where it is
seen: each redirect, each answer to a challenge, each retry for itself. A transport of the user's
own is seen in the client. What it sends further through the library's transport is seen there:
the first such request is the one that was begun in the client, so none is seen twice.
"""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from itertools import chain
from typing import Any, Final

from opentelemetry import context as otel

from instrumentation.context import current
from instrumentation.outbound.call import Call
from instrumentation.outbound.libraries import Library, named
from instrumentation.patches import Patch
from instrumentation.telemetry import Telemetry

_SUPPRESSED: Final = [
    key
    for name in ("_SUPPRESS_INSTRUMENTATION_KEY", "_SUPPRESS_HTTP_INSTRUMENTATION_KEY")
    if (key := getattr(otel, name, None)) is not None
]
"""Set in the context around what nobody should observe, an exporter's own requests for one."""

_installed: Final[set[Telemetry]] = set()
_patches: Final[dict[str, list[Patch]]] = {}
_outer: ContextVar[Call | None] = ContextVar("instrumentation_outer_call", default=None)


def install(telemetry: Telemetry, name: str) -> None:
    """Observe the library of this name for `telemetry`; hooks are set once for all applications."""
    found = named(name)
    if name not in _patches:
        _patches[name] = _hooks(found)
    for patch in _patches[name]:
        patch.apply()
    if telemetry not in _installed:
        _installed.add(telemetry)
        telemetry.on_uninstrument(lambda: _uninstall(telemetry))


def _uninstall(telemetry: Telemetry) -> None:
    _installed.discard(telemetry)
    if not _installed:
        for patch in chain.from_iterable(_patches.values()):
            patch.undo()


def _hooks(library: Library) -> list[Patch]:
    """The transports, and the one place of a client that hands a request to a transport.

    That place is private. Where a release has it no more, transports of the user's go unseen.
    """
    hooks = [
        Patch(library.transport, "handle_request", _sending(library)),
        Patch(library.async_transport, "handle_async_request", _sending_async(library)),
    ]
    for client, around in (
        (library.client, _handing_over(library)),
        (library.async_client, _handing_over_async(library)),
    ):
        if "_send_single_request" in vars(client):
            hooks.append(Patch(client, "_send_single_request", around))
    return hooks


def _begin(library: Library, transport: object, request: Any) -> Call | None:
    """The call for a request that is sent now, None where nobody observes it."""
    telemetry = current()
    if telemetry is None or telemetry not in _installed:
        return None
    if any(otel.get_value(key) for key in _SUPPRESSED):
        return None
    try:
        return Call(telemetry, request, traced=not library.is_traced(transport))
    except Exception as failure:
        telemetry.errors.report("outbound", failure)
        return None


def _begin_or_take(library: Library, transport: object, request: Any) -> Call | None:
    """As `_begin`, or the call that the client has begun, if this is the first to stand for it."""
    outer = _outer.get()
    if outer is None or outer.taken:
        return _begin(library, transport, request)
    outer.take(request)
    return outer


def _sending(library: Library) -> Callable[..., Any]:
    def around(original: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
        def handle_request(self: Any, request: Any) -> Any:
            call = _begin_or_take(library, self, request)
            if call is None:
                return original(self, request)
            try:
                response = original(self, request)
            except BaseException as error:
                call.end(error)
                raise
            return _answered(call, response, library.body)

        return handle_request

    return around


def _sending_async(library: Library) -> Callable[..., Any]:
    def around(original: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
        async def handle_async_request(self: Any, request: Any) -> Any:
            call = _begin_or_take(library, self, request)
            if call is None:
                return await original(self, request)
            try:
                response = await original(self, request)
            except BaseException as error:
                call.end(error)
                raise
            return _answered(call, response, library.async_body)

        return handle_async_request

    return around


def _handing_over(library: Library) -> Callable[..., Any]:
    def around(original: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
        def send_single_request(self: Any, request: Any) -> Any:
            call = _begin_in_client(library, self, request)
            if call is None:
                return original(self, request)
            mine = _outer.set(call)
            try:
                response = original(self, request)
            except BaseException as error:
                if not call.taken:
                    call.end(error)
                raise
            finally:
                _outer.reset(mine)
            return response if call.taken else _answered(call, response, library.body)

        return send_single_request

    return around


def _handing_over_async(library: Library) -> Callable[..., Any]:
    def around(original: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
        async def send_single_request(self: Any, request: Any) -> Any:
            call = _begin_in_client(library, self, request)
            if call is None:
                return await original(self, request)
            mine = _outer.set(call)
            try:
                response = await original(self, request)
            except BaseException as error:
                if not call.taken:
                    call.end(error)
                raise
            finally:
                _outer.reset(mine)
            return response if call.taken else _answered(call, response, library.async_body)

        return send_single_request

    return around


def _begin_in_client(library: Library, client: Any, request: Any) -> Call | None:
    transport = client._transport
    if client._mounts:
        transport = client._transport_for_url(request.url)
    return _begin(library, transport, request) if library.is_of_the_users(transport) else None


def _answered(call: Call, response: Any, body: type[Any]) -> Any:
    try:
        call.answered(response)
        if response.is_closed:  # it was made with its content: nobody will read or close it
            call.end(None)
        else:
            response.stream = body(response.stream, call)
    except Exception as failure:
        call.broken(failure)
    return response
