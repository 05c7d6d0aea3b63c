"""Runs a service under uvicorn, so that it starts and stops the same way everywhere."""

import contextlib
import os
import signal
import socket
import sys
from collections.abc import Callable

import uvicorn
from fastapi import FastAPI

from demo_service.command import refusals
from demo_service.settings import Settings

# Health checks and the fault switch are no users' requests: they would flatter the figures.
_NOT_TRAFFIC = "/healthz$,/readyz$,/admin/"


def serve(name: str, create_app: Callable[[Settings], FastAPI], port: str) -> None:
    """Serve as `name` until SIGTERM or SIGINT; `port` is the setting that holds the port.

    Ends the process with one sentence where a setting is wrong, a folder can't be written or the
    port is taken.
    """
    os.environ.setdefault("OTEL_SERVICE_NAME", name)
    os.environ.setdefault("OTEL_PYTHON_EXCLUDED_URLS", _NOT_TRAFFIC)
    # uvicorn raises the signal again once it has shut down; being asked to stop is no failure.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    with refusals(name):
        settings = Settings()
        listener = _listen(settings.host, getattr(settings, port))
        app = create_app(settings)
    config = uvicorn.Config(
        app,
        loop="uvloop",
        access_log=False,
        log_level="warning",
        # The peer stays the socket's own, which is what the fault switch relies on.
        proxy_headers=False,
        # Longer than a client of the load generator pauses, or it would meet closed connections.
        timeout_keep_alive=75,
        timeout_graceful_shutdown=5,
    )
    print(f"{name}: http://{settings.host}:{getattr(settings, port)}", flush=True)  # noqa: T201 - a command's own words
    with listener, contextlib.suppress(KeyboardInterrupt):
        uvicorn.Server(config).run(sockets=[listener])


def _listen(host: str, port: int) -> socket.socket:
    """Return a socket that listens, before anything is opened that would have to be closed."""
    try:
        return socket.create_server((host, port), backlog=2048)
    except OSError as error:
        reason = os.strerror(error.errno or 0)
        raise OSError(f"can't listen on {host}:{port}: {reason}") from None
