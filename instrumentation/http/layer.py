"""The outermost ASGI layer of an instrumented application."""

from __future__ import annotations

import logging
from asyncio import _get_running_loop
from collections.abc import Awaitable

import anyio.to_thread
from anyio import CapacityLimiter
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from instrumentation.attached import attach, detach
from instrumentation.context import EXCLUDED, in_request
from instrumentation.export import scrape
from instrumentation.http import excluded, foreign
from instrumentation.http.capture import Capture
from instrumentation.http.exchange import Exchange
from instrumentation.http.framework import SILENCED, Kept, silence_others
from instrumentation.http.routes import KEY
from instrumentation.http.websocket import Connection
from instrumentation.logs import blame
from instrumentation.telemetry import Telemetry

logger = logging.getLogger("instrumentation")

_LAST = ("lifespan.startup.failed", "lifespan.shutdown.complete", "lifespan.shutdown.failed")


class TelemetryLayer:
    """Traces and measures every request that passes, and answers `/metrics`.

    It stands outside ServerErrorMiddleware, so the 500 that this one sends is seen. Of two
    instrumented applications, one mounted in the other, the outer one counts.
    """

    def __init__(self, app: ASGIApp, telemetry: Telemetry, kept: Kept | None = None) -> None:
        self.app = app
        self._telemetry = telemetry
        self._kept = kept
        self._looked_around = False
        settings = telemetry.settings
        self._keep = settings.fastapi_telemetry
        self._capture = Capture.of(settings)
        scraped = settings.metrics_exporter == "prometheus"
        self._metrics_paths = (settings.metrics_path,) if scraped else ()
        self._excluded = excluded.by(settings.excluded_urls)

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        """Handle one request, one connection or the lifespan."""
        if not self._looked_around:
            self._look_around(scope)
        if scope["type"] not in ("http", "websocket") or KEY in scope:
            return self._pass(scope, receive, send)
        if scope["path"].endswith(self._metrics_paths) and self._is_scrape(scope):
            return scrape.answer(self._telemetry.exposition, self._telemetry.errors, scope, send)
        if self._keep:
            silence_others(scope)
        else:
            scope.update(SILENCED)
        if self._excluded is not None and self._excluded(scope):
            return self._run_unseen(scope, receive, send)
        return self._run(scope, receive, send)

    def _pass(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        if scope["type"] == "lifespan":
            return self._lifespan(scope, receive, send)
        return self.app(scope, receive, send)

    def _look_around(self, scope: Scope) -> None:
        if KEY not in scope and foreign.around():
            self.app = foreign.Refusal()
        self._looked_around = True

    async def _run_unseen(self, scope: Scope, receive: Receive, send: Send) -> None:
        mine = in_request.set(EXCLUDED)
        scope[KEY] = None  # an instrumented application that is mounted here leaves it out too
        try:
            await self.app(scope, receive, send)
        finally:
            in_request.reset(mine)

    async def _run(self, scope: Scope, receive: Receive, send: Send) -> None:
        telemetry, kept = self._telemetry, self._kept
        watch = Exchange if scope["type"] == "http" else Connection
        observed: Exchange | Connection | None = None
        try:
            if _get_running_loop() is not telemetry.latest_loop():
                telemetry.start()
            observed = watch(telemetry, scope, receive, send, self._capture)
            if kept is not None:
                observed.context = kept.begin(scope, observed.context)
        except Exception as error:
            telemetry.errors.report("http", error)
        if observed is None:
            return await self.app(scope, receive, send)
        scope[KEY] = observed.track
        token = attach(observed.context)
        mine = in_request.set(observed)
        failed: BaseException | None = None
        try:
            await self.app(scope, observed.receive, observed.send)
        except BaseException as error:
            failed = error
            blame(error, observed.span)
            raise
        finally:
            observed.finish(failed)
            try:
                in_request.reset(mine)
                detach(token)
            except ValueError:
                logger.debug("a request that nobody finished was thrown away, in another context")
            # Servers keep the scope until the connection's next request.
            scope.pop(KEY, None)
            if kept is not None:
                kept.end(scope)
            failed = None  # its traceback holds this frame, which would hold it

    def _is_scrape(self, scope: Scope) -> bool:
        if scope["type"] != "http" or scope["method"] not in ("GET", "HEAD"):
            return False
        path = scope["path"]
        below = path.removeprefix(scope.get("root_path", ""))
        return path in self._metrics_paths or below in self._metrics_paths

    async def _lifespan(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Start with the application, and flush before it says that it has stopped."""

        async def started() -> Message:
            message = await receive()
            if message["type"] == "lifespan.startup":
                self._begin_life()
            elif message["type"] == "lifespan.shutdown":
                self._telemetry.stopping = True
            return message

        async def answered(message: Message) -> None:
            if message["type"] == "lifespan.startup.complete":
                self._telemetry.enter_loop(again=True)
            elif message["type"] in _LAST:
                await self._end_life()
            await send(message)

        await self.app(scope, started, answered)

    def _begin_life(self) -> None:
        self._telemetry.stopping = False
        try:
            self._telemetry.start()
        except Exception as error:
            self._telemetry.errors.report("export", error)

    async def _end_life(self) -> None:
        """Flush, in a thread of our own: anyio's shared ones may all be stuck in user code."""
        try:
            await anyio.to_thread.run_sync(self._telemetry.stop, limiter=CapacityLimiter(1))
        except Exception as error:
            self._telemetry.errors.report("export", error)
