"""Puts load on the demo until it is told to stop: `python -m demo_service.load`."""

from __future__ import annotations

import contextlib
import os
import signal

import gevent
import httpx
from gevent.event import Event
from gevent.pywsgi import WSGIServer
from locust.env import Environment

from demo_service.command import refusals, refuse_arguments
from demo_service.load.control import control_server
from demo_service.load.pace import DailyShape
from demo_service.load.visitor import Visitor
from demo_service.settings import Settings

_STOP_SECONDS = 3.0
_FORGET_SECONDS = 3600.0


def main() -> None:
    """Run until SIGTERM or SIGINT; ends with one sentence where it can't start."""
    stopping = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        gevent.signal_handler(number, stopping.set)
    with refusals("load"):
        settings = Settings()
        Visitor.webhook_key = settings.webhook_key
        shape = DailyShape(settings.load_rate)
        control = control_server(shape, settings.host, settings.load_port)
        _listen(control, f"{settings.host}:{settings.load_port}")
    try:
        if _ready(settings.orders_base_url, stopping):
            _run(settings, shape, stopping)
    finally:
        control.stop(timeout=1)


def _listen(control: WSGIServer, where: str) -> None:
    try:
        control.start()
    except OSError as error:
        reason = os.strerror(error.errno or 0)
        raise OSError(f"can't listen on {where}: {reason}") from None


def _ready(base_url: str, stopping: Event) -> bool:
    """Wait for the service; return False when told to stop before it came."""
    print(f"load: waiting for {base_url}/readyz", flush=True)  # noqa: T201 - a command's own words
    with httpx.Client(base_url=base_url, timeout=2.0, trust_env=False) as client:
        while not stopping.is_set():
            with contextlib.suppress(httpx.TransportError):
                if client.get("/readyz").is_success:
                    return True
            stopping.wait(0.5)
    return False


def _run(settings: Settings, shape: DailyShape, stopping: Event) -> None:
    environment = Environment(
        user_classes=[Visitor],
        shape_class=shape,
        host=settings.orders_base_url,
        # A user that is told to go finishes the request it has begun.
        stop_timeout=_STOP_SECONDS,
    )
    runner = environment.create_local_runner()
    runner.start_shape()
    print(f"load: {shape.rate:.1f} requests a second now", flush=True)  # noqa: T201 - a command's own words
    try:
        # Locust keeps a number for every second of its life, and this may run for weeks.
        while not stopping.wait(_FORGET_SECONDS):
            runner.stats.clear_all()
    finally:
        runner.quit()


if __name__ == "__main__":
    refuse_arguments("demo_service.load", __doc__)
    main()
