"""Where nobody runs the lifespan, the first request starts things and the end sends them."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.truth.sink import sink

PROGRAM = """
import asyncio, os, threading, httpx
from fastapi import FastAPI
from instrumentation import instrument

app = FastAPI()
app.get("/ok")(lambda: "ok")
instrument(app)

def ours():
    return {each.name for each in threading.enumerate() if each.name.startswith("instrumentation")}

async def main():
    assert not ours()
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://t") as client:
        await client.get("/ok")
    assert ours() >= {"instrumentation-spans", "instrumentation-metrics"}, ours()

asyncio.run(main())
"""


@pytest.mark.proves("Processes", "shutdown flushes within a bound")
def test_the_first_request_starts_and_the_end_of_the_process_sends() -> None:
    with sink() as collector:
        subprocess.run(
            [sys.executable, "-c", PROGRAM],
            env={
                **{k: v for k, v in os.environ.items() if not k.startswith("OTEL_")},
                "OTEL_METRICS_EXPORTER": "otlp",
                "OTEL_EXPORTER_OTLP_ENDPOINT": collector.address,
                "INSTRUMENTATION_SHUTDOWN_SECONDS": "20",
            },
            check=True,
            timeout=120,
        )
    assert "GET /ok" in [span.name for span in collector.spans]
    assert len(collector.metrics) == 1
