"""Real servers with several workers, and a client that knows what they answered."""

from __future__ import annotations

import contextlib
import http.client
import os
import random
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from prometheus_client.openmetrics.parser import text_string_to_metric_families

from drill.ports import free_ports
from stack.environment import REPOSITORY
from tests.stack.running import eventually

APP = "tests.processes.app:app"
REQUESTS = "http_server_request_duration_seconds_count"
GUNICORN = REPOSITORY / "deploy" / "gunicorn.conf.py"
_OPENMETRICS = {"accept": "application/openmetrics-text; version=1.0.0"}


def uvicorn(workers: int, *arguments: str, app: str = APP) -> list[str]:
    return [sys.executable, "-m", "uvicorn", app, "--workers", str(workers),
            "--no-access-log", "--log-level", "warning", *arguments]  # fmt: skip


def gunicorn(workers: int, *arguments: str, app: str = APP) -> list[str]:
    """gunicorn as `deploy/` starts it."""
    return [sys.executable, "-m", "gunicorn", app, "--config", str(GUNICORN),
            "--workers", str(workers), "--log-level", "warning", *arguments]  # fmt: skip


@dataclass
class Server:
    """A running server: its master, its address, its output, and what a client knows of it.

    Attributes:
        answers: the body of every answer.
        traces: the trace of every request that was answered, each of its own.
        unanswered: the requests whose connection was closed instead: a worker that leaves may
            have read and counted such a request, or not.
    """

    process: subprocess.Popen[bytes]
    address: str
    log: Path
    answers: list[str] = field(default_factory=list)
    traces: list[str] = field(default_factory=list)
    unanswered: int = 0

    def ask(self, path: str = "/pid") -> str | None:
        """The answer's body; None where the connection was closed without one."""
        parts = urlsplit(self.address)
        connection = http.client.HTTPConnection(str(parts.hostname), parts.port, timeout=30)
        trace = f"{random.getrandbits(128) | 1:032x}"
        headers = {"connection": "close", "traceparent": f"00-{trace}-{1:016x}-01"}
        with contextlib.closing(connection):
            try:
                connection.connect()
            except ConnectionError:
                return None
            try:
                connection.request("GET", path, headers=headers)
                answer = connection.getresponse()
                body = answer.read().decode()
            except (ConnectionError, http.client.HTTPException):
                self.unanswered += 1
                return None
        assert answer.status == 200, body
        self.answers.append(body)
        self.traces.append(trace)
        return body

    def answered(self, path: str = "/pid") -> str:
        """Like `ask`, sent again where a worker closed the connection before it was read."""
        answer = eventually(lambda: self.ask(path), explain=self.log.read_text)
        assert answer is not None
        return answer

    def pids(self, count: int) -> set[str]:
        """Ask until `count` workers have answered; their numbers."""
        found: set[str] = set()

        def enough() -> bool:
            found.add(self.answered())
            return len(found) >= count

        eventually(enough, explain=self.log.read_text)
        return found

    def recycle(self, count: int) -> None:
        """Send requests, a few at a time, until `count` workers have answered one after another."""

        def ask() -> None:
            while len(set(self.answers)) < count:
                self.answered("/slow?seconds=0.02")

        with ThreadPoolExecutor(4) as threads:
            for done in [threads.submit(ask) for _ in range(4)]:
                done.result()

    def agrees(self, told: float) -> bool:
        """Whether this number of requests is that of the answers, none lost and none twice."""
        return len(self.answers) <= told <= len(self.answers) + self.unanswered

    def samples(self) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
        """What a scrape says now, by name and labels."""
        request = urllib.request.Request(f"{self.address}/metrics", headers=_OPENMETRICS)
        with urllib.request.urlopen(request, timeout=30) as answer:
            text = answer.read().decode()
        return {
            (sample.name, tuple(sorted(sample.labels.items()))): sample.value
            for family in text_string_to_metric_families(text)  # type: ignore[no-untyped-call]
            for sample in family.samples
        }

    def total(self, name: str) -> float:
        """The sum over all series of this name; asks again where a worker was just leaving."""

        def scraped() -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
            with contextlib.suppress(OSError, http.client.HTTPException):
                return self.samples()
            return {}

        found = eventually(scraped, explain=self.log.read_text)
        return sum(value for (each, _), value in found.items() if each == name)

    def stop(self, how: signal.Signals = signal.SIGTERM) -> None:
        """Ask the master to stop, and wait until it has."""
        if self.process.poll() is None:
            self.process.send_signal(how)
        self.process.wait(timeout=60)


@contextlib.contextmanager
def running(
    command: list[str],
    folder: Path,
    environment: Mapping[str, str] | None = None,
    port: str | None = None,
) -> Iterator[Server]:
    """Run `command` on `port`, or on a free one, until the end of the `with` block."""
    port = port or free_ports(["PORT"])["PORT"]
    bind = ["--bind", f"127.0.0.1:{port}"] if "gunicorn" in command else ["--port", port]
    log = folder / "server.log"
    inherited = {k: v for k, v in os.environ.items() if not k.startswith(("OTEL_", "PROMETHEUS_"))}
    with log.open("ab") as output:
        process = subprocess.Popen(
            [*command, *bind],
            cwd=REPOSITORY,
            env={**inherited, "OTEL_TRACES_EXPORTER": "none", **(environment or {})},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    server = Server(process, f"http://127.0.0.1:{port}", log)
    try:
        eventually(
            server.ask, seconds=60, explain=log.read_text, unless=lambda: process.poll() is not None
        )
        yield server
    finally:
        try:
            server.stop()
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)  # its workers, should it have left any
