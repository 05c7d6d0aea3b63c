"""Real ASGI servers in a thread of this process, so that a test sees what the library tells."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn
from granian.constants import Interfaces
from granian.server.embed import Server as Granian
from hypercorn.asyncio import serve as hypercorn_serve
from hypercorn.config import Config as HypercornConfig


@contextmanager
def uvicorn_(app: Any, **arguments: Any) -> Iterator[str]:
    """Uvicorn with uvloop and httptools, as `uvicorn[standard]` runs it."""
    listener = socket.create_server(("127.0.0.1", 0))
    settings = {"http": "httptools", "loop": "uvloop", **arguments}
    server = uvicorn.Server(uvicorn.Config(app, log_level="critical", **settings))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        while not server.started and thread.is_alive():
            thread.join(0.01)
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()
        listener.close()


@contextmanager
def hypercorn(app: Any) -> Iterator[str]:
    """Hypercorn, which speaks HTTP/2 without TLS too, and knows trailers and early hints."""
    config = HypercornConfig()
    config.errorlog = config.accesslog = None
    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    config.bind = [f"fd://{listener.detach()}"]  # it closes the socket itself
    stopped = asyncio.Event()

    async def run() -> None:
        await hypercorn_serve(app, config, shutdown_trigger=stopped.wait)

    with _in_a_thread(run, stopped.set):
        yield f"http://127.0.0.1:{port}"


@contextmanager
def granian(app: Any) -> Iterator[str]:
    """Granian, written in Rust, which knows `http.response.pathsend`."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    server = Granian(
        app,
        address="127.0.0.1",
        port=port,
        interface=Interfaces.ASGI,
        log_enabled=False,
    )
    with _in_a_thread(server.serve, server.stop):
        _wait_for(port)
        yield f"http://127.0.0.1:{port}"


SERVERS: dict[str, Callable[[Any], Any]] = {
    "uvicorn": uvicorn_,
    "hypercorn": hypercorn,
    "granian": granian,
}


@contextmanager
def _in_a_thread(run: Callable[[], Any], stop: Callable[[], object]) -> Iterator[None]:
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_until_complete, args=(run(),))
    thread.start()
    try:
        yield
    finally:
        loop.call_soon_threadsafe(stop)
        thread.join()
        loop.close()


def _wait_for(port: int) -> None:
    while True:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
        except ConnectionRefusedError:
            threading.Event().wait(0.01)
        else:
            return
