"""What the tests of thread pools share."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine
from typing import Any

import httpx
from fastapi import FastAPI

from tests.instrumentation.conftest import Observed

Run = Callable[[Coroutine[Any, Any, None]], None]


class Held:
    """A function that keeps its thread until it is let go."""

    def __init__(self) -> None:
        self.began = 0
        self._release = threading.Event()

    def __call__(self) -> str:
        self.began += 1
        assert self._release.wait(30)
        return "held"

    def let_go(self) -> None:
        self._release.set()


async def until(condition: Callable[[], object]) -> None:
    for _ in range(3000):
        if condition():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("the condition did not come true")


def client_of(app: FastAPI) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test")


def gauges(observed: Observed, pool: str) -> tuple[float | None, float | None, float | None]:
    """Limit, used and waiting of a pool."""
    return (
        observed.value("thread_pool_threads", pool=pool, state="limit"),
        observed.value("thread_pool_threads", pool=pool, state="used"),
        observed.value("thread_pool_waiting", pool=pool),
    )


def count(observed: Observed, what: str, pool: str, route: str, **more: str) -> float | None:
    name = f"thread_pool_{what}_seconds_{'bucket' if more else 'count'}"
    return observed.value(name, pool=pool, http_route=route, **more)


def total(observed: Observed, what: str, pool: str, route: str) -> float:
    return observed.value(f"thread_pool_{what}_seconds_sum", pool=pool, http_route=route) or 0.0
