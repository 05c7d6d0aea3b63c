"""Two ASGI layers that stamp each request: one outside the instrumented application, one inside.

What the instrumentation measures lies between the two, whatever the load: its begin after the
outer one's and before the inner one's, its end after the outer one was handed the last message
and before the inner one got its send back. Nothing here knows of the instrumentation.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

Message = dict[str, Any]
App = Callable[[Any, Any, Any], Awaitable[None]]


class Stamp:
    """Both clocks at one moment: seconds for durations, nanoseconds for spans."""

    def __init__(self) -> None:
        self.seconds = time.perf_counter()
        self.wall = time.time_ns()


class Stamps:
    """What the two layers wrote down of one request."""

    def __init__(self) -> None:
        self.outer_began = Stamp()
        self.inner_began: Stamp | None = None
        self.handed_over: Stamp | None = None
        self.returned: Stamp | None = None

    def bounds(self, left: Stamp) -> dict[str, float]:
        """The shortest and the longest that a right measurement may tell."""
        began = self.inner_began or left
        ended_early = self.handed_over or self.outer_began
        ended_late = self.returned or left
        return {
            "least": max(0.0, ended_early.seconds - began.seconds),
            "most": ended_late.seconds - self.outer_began.seconds,
            "began_first": self.outer_began.wall,
            "began_last": began.wall,
            "ended_first": ended_early.wall,
            "ended_last": ended_late.wall,
        }


class Outer:
    """Stands around the application, and writes a line a request."""

    def __init__(self, app: App, folder: Path) -> None:
        self.app = app
        self._folder = folder

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        stamps = scope["truth"] = Stamps()
        status = 0

        async def sending(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            if is_last(message):
                stamps.handed_over = Stamp()
            await send(message)

        try:
            await self.app(scope, receive, sending)
        finally:
            method = scope["method"] if scope["method"] != "PROPFIND" else "_OTHER"
            agent = dict(scope["headers"]).get(b"user-agent", b"").decode()
            line = {"agent": agent, "path": scope["path"], "method": method, "status": status}
            self._write({**line, **stamps.bounds(Stamp())})

    def _write(self, line: dict[str, Any]) -> None:
        with (self._folder / f"{os.getpid()}.jsonl").open("a") as file:
            file.write(json.dumps(line) + "\n")


class Inner:
    """The innermost of the application's own middlewares."""

    def __init__(self, app: App) -> None:
        self.app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        stamps: Stamps | None = scope.get("truth")
        if stamps is None:
            await self.app(scope, receive, send)
            return
        stamps.inner_began = Stamp()

        async def sending(message: Message) -> None:
            await send(message)
            if is_last(message):
                stamps.returned = Stamp()

        await self.app(scope, receive, sending)


def is_last(message: Message) -> bool:
    if message["type"] == "http.response.body":
        return not message.get("more_body", False)
    return bool(message["type"] == "http.response.pathsend")
