"""`/metrics` for a process that serves no requests."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import TCPServer
from typing import Any, Final

from instrumentation.errors import InternalErrors
from instrumentation.export.scrape import Exposition

_POLL_SECONDS: Final = 0.1


class Listener:
    """A small web server of its own, on threads of its own.

    Arguments:
        exposition: what a scrape reads.
        errors: where a failed scrape is noted.
        host: where to listen.
        port: 0 takes a free one.
        path: what `/metrics` is called; every other path is a 404.
    """

    def __init__(
        self, exposition: Exposition, errors: InternalErrors, *, host: str, port: int, path: str
    ) -> None:
        self._exposition = exposition
        self._errors = errors
        self._host = host
        self._port = port
        self._path = path
        self._server: ThreadingHTTPServer | None = None

    @property
    def port(self) -> int:
        """The port that it listens on, once it does; else the one it was asked to."""
        return self._port if self._server is None else int(self._server.server_address[1])

    def start(self) -> None:
        """Listen.

        Raises:
            OSError: the port is taken, or not ours to have; its text says which.
        """
        try:
            self._server = _Server((self._host, self._port), self._handler())
        except OSError as error:
            where = f"http://{self._host}:{self._port}{self._path}"
            raise OSError(
                f"can't answer {where}: {error.strerror}; OTEL_EXPORTER_PROMETHEUS_PORT chooses "
                f"another port, OTEL_METRICS_EXPORTER=otlp needs none"
            ) from error
        threading.Thread(
            target=self._server.serve_forever,
            args=(_POLL_SECONDS,),
            name="instrumentation-metrics",
            daemon=True,
        ).start()

    def stop(self) -> None:
        """Close the port."""
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        listener = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                listener._answer(self, body=True)

            def do_HEAD(self) -> None:
                listener._answer(self, body=False)

            def log_message(self, *_: Any) -> None:
                """A scrape every few seconds is no news."""

        return Handler

    def _answer(self, request: BaseHTTPRequestHandler, *, body: bool) -> None:
        status, content, kind = 404, b"only metrics are here\n", "text/plain; charset=utf-8"
        if request.path.partition("?")[0] == self._path:
            try:
                content, kind = self._exposition.render(request.headers.get("Accept", ""))
                status = 200
            except Exception as error:
                self._errors.report("scrape", error)
                status, content = 503, f"{error}\n".encode()
        request.send_response(status)
        request.send_header("Content-Type", kind)
        request.send_header("Content-Length", str(len(content)))
        request.end_headers()
        if body:
            request.wfile.write(content)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    # On most systems two servers could share the port otherwise, each seeing some of the scrapes.
    allow_reuse_port = False

    def server_bind(self) -> None:
        """Bind without asking the DNS for a name that nobody reads."""
        TCPServer.server_bind(self)
        self.server_name, self.server_port = str(self.server_address[0]), self.server_address[1]
