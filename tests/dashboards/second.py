"""A second instance of the orders service: of another version, and wrong in several ways."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx

from stack.environment import REPOSITORY
from tests.stack.running import eventually, meanwhile

VERSION = "1.1.0"
PROVIDER = "localhost"
"""Where it looks for its provider; the first instance finds its own at 127.0.0.1."""
_SERIES = "4"
_STANDSTILL_SECONDS = 0.2
_BROKEN_BODY = (
    b"POST /api/v1/orders HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
    b"Content-Length: 1000\r\n\r\n{"
)
_VISITS = (
    ("GET", "/api/v1/products"),
    ("GET", "/api/v1/products/1"),
    ("POST", "/api/v1/orders"),
    ("GET", "/api/v1/users"),
    ("GET", "/nowhere"),
)


@contextlib.contextmanager
def joined(data: Path, ports: Mapping[str, str], port: str, nobody: str) -> Iterator[str]:
    """An instance that the collector scrapes, with visitors; yields its `instance` label.

    Its provider's address is a port where nobody listens, it keeps very few series, half of its
    requests wait, it is stopped now and then, and some of its visitors leave before they have said
    what they want.
    """
    environment = {
        **os.environ,
        **ports,
        "DEMO_PORT": port,
        "DEMO_ADMIN": "1",
        "DEMO_STATE_DIR": str(data / "second"),
        "DEMO_PAYMENTS_URL": f"http://{PROVIDER}:{nobody}",
        "INSTRUMENTATION_SERIES_LIMIT": _SERIES,
        "OTEL_SERVICE_NAME": "orders",
        "OTEL_RESOURCE_ATTRIBUTES": f"deployment.environment.name=demo,service.version={VERSION}",
        "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{ports['OTLP_HTTP_PORT']}",
    }
    instance = f"127.0.0.1:{port}"
    with (data / "log" / "second.log").open("wb") as sink:
        process = subprocess.Popen(
            [sys.executable, "-m", "demo_service"],
            cwd=REPOSITORY,
            env=environment,
            stdout=sink,
            stderr=subprocess.STDOUT,
        )
    try:
        eventually(
            lambda: _answers(f"http://{instance}/readyz"),
            seconds=120,
            explain=(data / "log" / "second.log").read_text,
            unless=lambda: process.poll() is not None,
        )
        switch = f"http://{instance}/admin/faults/slow_tail"
        change = {"enabled": True, "probability": 0.5}
        httpx.put(switch, json=change, trust_env=False).raise_for_status()
        targets = data / "config" / "targets" / "services.json"
        with _scraped(targets, instance), _visited(instance, process):
            yield instance
    finally:
        process.terminate()
        process.wait(timeout=30)


def _answers(url: str) -> bool:
    with contextlib.suppress(httpx.HTTPError):
        return httpx.get(url, trust_env=False).is_success
    return False


@contextlib.contextmanager
def _scraped(targets: Path, instance: str) -> Iterator[None]:
    before = targets.read_text()
    groups = [*json.loads(before), {"targets": [instance], "labels": {"job": "orders"}}]
    _replace(targets, json.dumps(groups))
    try:
        yield
    finally:
        _replace(targets, before)


def _replace(path: Path, text: str) -> None:
    """At once: a reader must not meet half a file."""
    draft = path.with_suffix(".draft")
    draft.write_text(text)
    draft.replace(path)


def _visited(
    instance: str, process: subprocess.Popen[bytes]
) -> contextlib.AbstractContextManager[None]:
    """Requests of each kind in turn, a broken one with each turn, and a moment's standstill."""

    def visit(client: httpx.Client, method: str, path: str) -> None:
        order = {"user_id": 1, "product_id": 1, "quantity": 1}
        with contextlib.suppress(httpx.HTTPError):
            client.request(method, path, json=order if method == "POST" else None)

    def visits(over: threading.Event) -> None:
        with (
            httpx.Client(base_url=f"http://{instance}", timeout=10, trust_env=False) as client,
            ThreadPoolExecutor(20) as pool,
        ):
            while not over.is_set():
                for method, path in _VISITS:
                    pool.submit(visit, client, method, path)
                    over.wait(0.05)
                _leave(instance)
                process.send_signal(signal.SIGSTOP)
                over.wait(_STANDSTILL_SECONDS)
                process.send_signal(signal.SIGCONT)

    return meanwhile(visits)


def _leave(instance: str) -> None:
    """Go away in the middle of a request's body: what a broken connection looks like."""
    host, _, port = instance.partition(":")
    with socket.create_connection((host, int(port)), timeout=5) as connection:
        connection.sendall(_BROKEN_BODY)
