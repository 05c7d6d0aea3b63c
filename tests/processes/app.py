"""The application that the servers of these tests run; each worker imports it."""

from __future__ import annotations

import asyncio
import os

from fastapi import FastAPI
from prometheus_client import Counter, Gauge

from instrumentation import instrument

IMPORTED = Counter("imported", "How often a process imported this module.")
MARK = Gauge("mark", "A gauge of the user's.", multiprocess_mode="livesum")

app = FastAPI()
telemetry = instrument(app)
IMPORTED.inc()


@app.get("/pid")
async def pid() -> int:
    MARK.set(1)
    return os.getpid()


@app.get("/slow")
async def slow(seconds: float) -> int:
    await asyncio.sleep(seconds)
    return os.getpid()
