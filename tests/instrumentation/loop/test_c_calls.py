"""A long call in C, which lets nobody look, is named all the same."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from instrumentation.runtime.loop.standstill import Standstills
from tests.instrumentation.conftest import Observed
from tests.instrumentation.loop.conftest import Told, line

Run = Callable[[Any], str]


def test_a_call_in_c_that_begins_while_the_watchdog_reads_the_kernels_figures_is_named(
    observed: Observed, run: Run, told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = FastAPI()
    waiting, reading = threading.Event(), threading.Event()
    woke = Standstills.woke

    @app.get("/sums")
    async def sums() -> None:
        waiting.set()
        while not reading.is_set():
            await asyncio.sleep(0)
        sum(range(20_000_000))

    def read(self: Standstills, asked: float, now: float, cpu: float) -> float | None:
        since = woke(self, asked, now, cpu)
        if waiting.is_set() and not reading.is_set():
            reading.set()
            time.sleep(0.01)  # gives up the interpreter's lock, as its last system call does
        return since

    monkeypatch.setattr(Standstills, "woke", read)
    observed.instrument(app)
    base = run(app)

    def call() -> None:
        waiting.clear()
        reading.clear()
        httpx.get(f"{base}/sums", timeout=30)

    told.provoke(call, "/sums", line(sums, "sum("))
