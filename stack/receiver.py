"""The demo's pager: takes Alertmanager's messages, writes them to its log, and shows them."""

import os
import sys
import time
from argparse import ArgumentParser
from collections import deque
from collections.abc import Iterable
from functools import partial
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from pydantic import BaseModel, ValidationError

from stack.console import say
from stack.signals import Stopped, stop_signals

DEFAULT_PORT = "9095"
DEAD_MAN = "dead-man"
KEPT = 100
LARGEST_BODY = 1 << 20
SILENT_SECONDS = 30.0
# In the order of reading; annotations that an alert doesn't have are left out.
LINES = {
    "description": "",
    "cause": "Likely cause: ",
    "runbook_url": "Runbook: ",
    "dashboard_url": "Dashboard: ",
    "traces_url": "Traces: ",
}


class Alert(BaseModel):
    """One alert of a message."""

    status: str
    labels: dict[str, str]
    annotations: dict[str, str] = {}


class Message(BaseModel):
    """What Alertmanager's webhook sends, as far as a person reads it."""

    receiver: str
    alerts: list[Alert]


class Notifications:
    """The last messages, as text."""

    def __init__(self) -> None:
        self._kept: deque[str] = deque(maxlen=KEPT)
        self._heard = ""

    def add(self, message: Message) -> None:
        """Write a message to the log; keep it unless it only says that all is well."""
        now = time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime())
        text = f"{now} {readable(message)}"
        say(text)
        if message.receiver == DEAD_MAN:
            self._heard = now
        else:
            self._kept.append(text)

    def page(self) -> str:
        """Return what a browser shows, the newest message first."""
        heard = f"last heard at {self._heard}" if self._heard else "not heard yet"
        newest = list(reversed(self._kept)) or ["No page, no ticket, nothing for the log so far."]
        return "\n\n".join([f"Watchdog, which shows that messages arrive: {heard}.", *newest, ""])


def readable(message: Message) -> str:
    """Return a message as a person reads it: a line for each alert, and what its rule says."""
    return "\n".join(_printable(_paragraph(message.receiver, each)) for each in message.alerts)


def _paragraph(receiver: str, alert: Alert) -> Iterable[str]:
    name, job = alert.labels.get("alertname", "?"), alert.labels.get("job", "?")
    told = alert.annotations
    yield f"{receiver}: {alert.status.upper()} {name} of {job}. {told.get('summary', '')}".rstrip()
    if receiver != DEAD_MAN:
        yield from (f"  {label}{told[each]}" for each, label in LINES.items() if told.get(each))


def _printable(lines: Iterable[str]) -> str:
    """Label values come from outside: they must not write lines, or to the terminal."""
    return "\n".join(
        "".join(each if each.isprintable() else " " for each in line) for line in lines
    )


class Handler(BaseHTTPRequestHandler):
    """POST takes a message, GET shows the last ones."""

    # A connection that sends nothing must not hold its thread for ever.
    timeout = SILENT_SECONDS

    def __init__(self, notifications: Notifications, *arguments: Any) -> None:
        self._notifications = notifications
        super().__init__(*arguments)

    def do_GET(self) -> None:
        """Show the last messages."""
        self._answer(HTTPStatus.OK, self._notifications.page())

    def do_POST(self) -> None:
        """Take a message."""
        length = self.headers.get("Content-Length", "")
        if not length.isdecimal():
            self._answer(HTTPStatus.LENGTH_REQUIRED, "Content-Length must be a number.\n")
        elif int(length) > LARGEST_BODY:
            self._answer(
                HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"The limit is {LARGEST_BODY} bytes.\n"
            )
        else:
            self._take(self.rfile.read(int(length)))

    def _take(self, body: bytes) -> None:
        try:
            message = Message.model_validate_json(body)
        except ValidationError as error:
            self._answer(HTTPStatus.BAD_REQUEST, f"This is no message of Alertmanager's: {error}\n")
            return
        self._notifications.add(message)
        self._answer(HTTPStatus.OK, "")

    def _answer(self, status: HTTPStatus, text: str) -> None:
        body = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", "text/plain; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_request(self, code: object = "-", size: object = "-") -> None:
        """Say nothing: the messages are in the log already."""


def main(arguments: list[str] | None = None) -> int:
    """Serve until SIGTERM or Ctrl-C; return the exit status."""
    ArgumentParser(prog="python -m stack.receiver", description=__doc__).parse_args(arguments)
    host = os.environ.get("RECEIVER_HOST") or "127.0.0.1"
    port = os.environ.get("RECEIVER_PORT") or DEFAULT_PORT
    try:
        server = ThreadingHTTPServer((host, int(port)), partial(Handler, Notifications()))
    except (OSError, OverflowError, ValueError) as error:
        sys.stderr.write(f"error: RECEIVER_PORT: can't listen on {host}:{port}: {error}\n")
        return 1
    with server, stop_signals():
        say(f"receiver: http://{host}:{port}/")
        try:
            server.serve_forever()
        except Stopped:
            return 0
    return 0


if __name__ == "__main__":
    sys.exit(main())
