"""An application on a real server, on both event loops, and what the watchdog said of it."""

from __future__ import annotations

import inspect
import os
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from typing import Any

import pytest
import uvicorn
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import SpanKind

from tests.instrumentation.conftest import Observed, wait_until

BLOCK_SECONDS = 0.2
_ATTEMPTS = 5


@dataclass
class Told:
    """The culprits that one application reported."""

    observed: Observed

    def culprits(self) -> dict[tuple[str, str], float]:
        """Blocks by route and culprit."""
        return {
            (sample.labels["http_route"], sample.labels["culprit"]): sample.value
            for family in self.observed.registry.collect()
            for sample in family.samples
            if sample.name == "asyncio_event_loop_culprit_blocks_total"
        }

    def blocks(self) -> list[ReadableSpan]:
        spans = self.observed.spans(SpanKind.INTERNAL)
        return [span for span in spans if span.name == "event_loop.blocked"]

    def provoke(self, call: Callable[[], object], route: str, culprit: str) -> ReadableSpan:
        """Call until `culprit` is reported, and nothing else is; the last block's span.

        On a machine where others take all CPU, nobody may get to look at a block.
        """
        allowed = {(route, culprit), ("", "unknown"), ("", "gc")}
        for _ in range(_ATTEMPTS):
            before = len(self.observed.spans())
            call()
            wait_until(lambda: len(self.observed.spans()) > before)  # noqa: B023
            with suppress(AssertionError):
                wait_until(lambda: (route, culprit) in self.culprits(), 2.5)
                break
        assert (route, culprit) in self.culprits()
        assert set(self.culprits()) <= allowed
        found = [s for s in self.blocks() if attribute(s, "event_loop.blocked.culprit") == culprit]
        return found[-1]


def attribute(span: ReadableSpan, name: str) -> Any:
    return (span.attributes or {}).get(name)


def line(function: Callable[..., Any], text: str) -> str:
    """The line of `function` that holds `text`, as a culprit is named."""
    lines, first = inspect.getsourcelines(function)
    (number,) = (first + index for index, found in enumerate(lines) if text in found)
    file = os.path.basename(inspect.getsourcefile(function) or "")
    return f"{file}:{number} {function.__name__}"


@pytest.fixture
def told(observed: Observed) -> Told:
    return Told(observed)


@pytest.fixture(params=["asyncio", "uvloop"])
def run(request: pytest.FixtureRequest) -> Iterator[Callable[[Any], str]]:
    """Run applications on real servers, on one event loop and on the other."""
    with ExitStack() as stack:
        yield lambda app: stack.enter_context(served(app, request.param))


@contextmanager
def served(app: Any, loop: Any) -> Iterator[str]:
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_level="critical", loop=loop))
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
