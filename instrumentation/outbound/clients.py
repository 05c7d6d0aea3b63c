"""Shared clients with the settings that a careful service needs."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from instrumentation.extras import remedy
from instrumentation.outbound.policy import RetryPolicy
from instrumentation.outbound.retries import Retries

if TYPE_CHECKING:
    import httpx

_CONNECT_SECONDS: Final = 1.0
_READ_SECONDS: Final = 10.0
_CONNECTIONS: Final = 100
_IDLE_CONNECTIONS: Final = 20


def client(
    *,
    retries: RetryPolicy | None = None,
    connect_timeout: float = _CONNECT_SECONDS,
    read_timeout: float = _READ_SECONDS,
    max_connections: int = _CONNECTIONS,
    max_idle_connections: int = _IDLE_CONNECTIONS,
    library: Any = None,
    **options: Any,
) -> httpx.Client:
    """A client to make once and share: a new one for each request opens a connection each time.

    Connecting fails fast, because a server that is there accepts at once; an answer may take its
    time. Both bounds are seconds; a request that finds every connection busy waits for one as
    long as for connecting.

    Arguments:
        retries: when a request is sent again; default `RetryPolicy()`.
        library: httpx or httpx2; default httpx where it is installed.
        options: further arguments of `httpx.Client`, which win: `base_url`, `http2`, `transport`.
    """
    http = _library(library)
    made = _classes(http)[0](**_options(http, options, connect_timeout, read_timeout,
                                        max_connections, max_idle_connections))  # fmt: skip
    made.retries = Retries(retries or RetryPolicy(), http)
    found: httpx.Client = made
    return found


def async_client(
    *,
    retries: RetryPolicy | None = None,
    connect_timeout: float = _CONNECT_SECONDS,
    read_timeout: float = _READ_SECONDS,
    max_connections: int = _CONNECTIONS,
    max_idle_connections: int = _IDLE_CONNECTIONS,
    library: Any = None,
    **options: Any,
) -> httpx.AsyncClient:
    """As `client`, for asyncio."""
    http = _library(library)
    made = _classes(http)[1](**_options(http, options, connect_timeout, read_timeout,
                                        max_connections, max_idle_connections))  # fmt: skip
    made.retries = Retries(retries or RetryPolicy(), http)
    found: httpx.AsyncClient = made
    return found


def _options(
    http: Any,
    options: dict[str, Any],
    connect_timeout: float,
    read_timeout: float,
    max_connections: int,
    max_idle_connections: int,
) -> dict[str, Any]:
    timeout = http.Timeout(read_timeout, connect=connect_timeout, pool=connect_timeout)
    limits = http.Limits(
        max_connections=max_connections, max_keepalive_connections=max_idle_connections
    )
    return {"timeout": timeout, "limits": limits, **options}


def _library(given: Any) -> Any:
    if given is not None:
        return given
    try:
        import httpx
    except ModuleNotFoundError:
        try:
            import httpx2
        except ModuleNotFoundError:
            raise ModuleNotFoundError(f"a client needs httpx: {remedy('httpx')}") from None
        return httpx2
    return httpx


@lru_cache
def _classes(http: Any) -> tuple[type[Any], type[Any]]:
    """The library's clients, each sending by a policy.

    `send` is where every request of a client passes, redirects and challenges inside it.
    """

    class Client(http.Client):  # type: ignore[misc]
        retries: Retries

        def send(self, request: Any, **options: Any) -> Any:
            return self.retries.send(lambda: super(Client, self).send(request, **options), request)

    class AsyncClient(http.AsyncClient):  # type: ignore[misc]
        retries: Retries

        async def send(self, request: Any, **options: Any) -> Any:
            async def once() -> Any:
                return await super(AsyncClient, self).send(request, **options)

            return await self.retries.send_async(once, request)

    return Client, AsyncClient
