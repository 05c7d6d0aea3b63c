"""The web server that stands where a human's pager would: Alertmanager's webhooks go to it."""

from __future__ import annotations

import json
import threading
import time
from dataclasses import dataclass
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Final, Self

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path
    from types import TracebackType

PAGE: Final = "page"
"""The receiver that wakes somebody."""
HUMANS: Final = (PAGE, "ticket")
"""The receivers that ask somebody to act; a log and a dead man's switch do not."""


@dataclass(frozen=True, kw_only=True)
class Notification:
    """One alert in one message of Alertmanager's.

    Args:
        at: Unix time of its arrival, in seconds.
        began: Unix time since when the alert fires, or fired.
        receiver: whom it was sent to: page, ticket, log or dead-man.
        status: firing or resolved.
        labels: the alert's labels.
        annotations: what a person reads.
    """

    at: float
    began: float
    receiver: str
    status: str
    labels: Mapping[str, str]
    annotations: Mapping[str, str]

    @property
    def alert(self) -> str:
        """The rule's name."""
        return self.labels["alertname"]

    @property
    def job(self) -> str:
        """The service that it is about."""
        return self.labels["job"]


class Receiver:
    """Listens on a free port of 127.0.0.1 while the context lasts, and remembers what came.

    Args:
        log: file that every message is appended to, as one line of JSON.
    """

    def __init__(self, log: Path) -> None:
        self._log = log
        self._lock = threading.Lock()
        self._received: list[Notification] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._thread = threading.Thread(target=self._server.serve_forever, name="webhook")

    @property
    def url(self) -> str:
        """Address in front of each receiver's name."""
        return f"http://127.0.0.1:{self._server.server_port}"

    def received(self, since: float = 0) -> list[Notification]:
        """Return what came at or after a Unix time, in the order of arrival."""
        with self._lock:
            return [each for each in self._received if each.at >= since]

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def _remember(self, message: dict[str, Any]) -> None:
        now = time.time()
        with self._lock:
            self._received += [
                Notification(
                    at=now,
                    began=datetime.fromisoformat(alert["startsAt"]).timestamp(),
                    receiver=message["receiver"],
                    status=alert["status"],
                    labels=alert["labels"],
                    annotations=alert["annotations"],
                )
                for alert in message["alerts"]
            ]
            with self._log.open("a") as log:
                log.write(json.dumps({"at": now, **message}) + "\n")

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        remember = self._remember

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                remember(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *arguments: object) -> None:
                """Say nothing: the messages are in the log already."""

        return Handler
