"""The watchdog's life: several loops, forks, debuggers, and what it is not to report."""

from __future__ import annotations

import asyncio
import gc
import io
import os
import pdb
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from fastapi import BackgroundTasks, FastAPI
from starlette.testclient import TestClient

from instrumentation import Settings
from instrumentation.contract import metrics
from instrumentation.runtime.loop.watchdog import watchdog
from tests.instrumentation.conftest import Observed, wait_until
from tests.instrumentation.loop.conftest import BLOCK_SECONDS, Told, attribute, line

Run = Callable[[Any], str]


async def sleeps() -> None:
    time.sleep(BLOCK_SECONDS)


async def turns() -> None:
    await asyncio.sleep(0.05)


@pytest.fixture
def app() -> FastAPI:
    app = FastAPI()
    app.get("/sleeps")(sleeps)
    app.get("/turns")(turns)
    return app


def test_headers_tell_what_the_request_blocked_so_far(
    app: FastAPI, observed: Observed, run: Run
) -> None:
    async def later(tasks: BackgroundTasks) -> None:
        tasks.add_task(sleeps)

    app.get("/later")(later)
    observed.instrument(app, blocking_header=True)
    base = run(app)

    def milliseconds(path: str) -> float:
        headers = httpx.get(f"{base}{path}").headers
        assert headers["server-timing"] == f"blocking;dur={headers['x-blocking-time']}"
        return float(headers["x-blocking-time"])

    wait_until(lambda: milliseconds("/sleeps") >= BLOCK_SECONDS * 900, 5)
    assert milliseconds("/later") == 0
    assert milliseconds("/turns") == 0


def test_headers_are_sent_only_if_asked_for(app: FastAPI, observed: Observed) -> None:
    observed.instrument(app)
    headers = TestClient(app).get("/sleeps").headers
    assert "x-blocking-time" not in headers
    assert "server-timing" not in headers


def test_the_same_heartbeat_measures_lag_and_counts_tasks(
    app: FastAPI, observed: Observed, run: Run
) -> None:
    observed.instrument(app)
    run(app)
    wait_until(lambda: (observed.value("asyncio_event_loop_lag_seconds_count") or 0) > 5)
    assert (observed.value("asyncio_tasks") or 0) >= 1


def test_runs_of_the_collector_are_measured_and_a_long_one_is_a_culprit(
    observed: Observed, told: Told, run: Run
) -> None:
    async def collects() -> None:
        made: list[Any] = [[] for _ in range(800_000)]
        gc.collect()
        del made

    app = FastAPI()
    app.get("/collects")(collects)
    observed.instrument(app)
    url = f"{run(app)}/collects"

    def blamed() -> bool:
        httpx.get(url, timeout=30)
        return any(culprit == "gc" for _, culprit in told.culprits())

    wait_until(blamed, 3)
    assert (observed.value("python_gc_pause_seconds_count", generation="2") or 0) >= 1


def test_each_loop_of_each_thread_is_watched(observed: Observed, told: Told, run: Run) -> None:
    """The application's, a second server's, and that of a thread that serves nothing."""
    stop = threading.Event()

    async def works() -> None:
        while not stop.is_set():
            await asyncio.sleep(0.1)
            time.sleep(BLOCK_SECONDS)

    app = FastAPI()
    app.get("/sleeps")(sleeps)
    observed.instrument(app)
    bases = [run(app), run(app)]
    worker = threading.Thread(target=lambda: asyncio.run(works()))
    worker.start()
    try:
        for base in bases:
            httpx.get(f"{base}/sleeps")
        wait_until(lambda: ("", line(works, "time.sleep")) in told.culprits())
        sought = ("/sleeps", line(sleeps, "time.sleep"))
        wait_until(lambda: [httpx.get(f"{b}/sleeps") for b in bases] and sought in told.culprits())
    finally:
        stop.set()
        worker.join()
    loops = {attribute(span, "thread.id") for span in told.blocks()}
    assert len(loops) >= 2


def test_a_child_process_is_watched_after_a_fork() -> None:
    script = textwrap.dedent(
        """
        import os, sys, time
        from fastapi import FastAPI
        from prometheus_client import REGISTRY
        from starlette.testclient import TestClient
        from instrumentation import Settings, instrument

        app = FastAPI()

        @app.get("/sleeps")
        async def sleeps():
            time.sleep(0.3)

        def count():
            name = "asyncio_event_loop_culprit_blocks_total"
            return REGISTRY.get_sample_value(name, {"http_route": "/sleeps", "culprit": culprit})

        culprit = f"<string>:{sleeps.__code__.co_firstlineno + 2} sleeps"
        instrument(app, Settings(traces_exporter="none"))
        with TestClient(app) as client:
            client.get("/sleeps")
        if pid := os.fork():
            sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
        before = count() or 0
        with TestClient(app) as client:
            for _ in range(5):
                client.get("/sleeps")
        os._exit(0 if (count() or 0) > before else 1)
        """
    )
    command = [sys.executable, "-W", "ignore", "-c", script]
    assert subprocess.run(command, timeout=120).returncode == 0


def test_it_works_under_a_debuggers_trace(observed: Observed, told: Told, run: Run) -> None:
    async def traced() -> None:
        sys.settrace(lambda *_: None)
        try:
            time.sleep(BLOCK_SECONDS)
        finally:
            sys.settrace(None)

    app = FastAPI()
    app.get("/traced")(traced)
    observed.instrument(app)
    url = f"{run(app)}/traced"
    told.provoke(lambda: httpx.get(url), "/traced", line(traced, "time.sleep"))


def test_who_stands_at_a_breakpoint_blocks_nothing(
    observed: Observed, told: Told, run: Run
) -> None:
    """A real debugger, whose commands come from a person who takes a while."""
    (ends, keys), screen = os.pipe(), io.StringIO()

    async def stops() -> None:
        with os.fdopen(ends) as typed:
            debugger = pdb.Pdb(stdin=typed, stdout=screen, nosigint=True, readrc=False)
            debugger.set_trace()
            await asyncio.sleep(0)

    app = FastAPI()
    app.get("/stops")(stops)
    app.get("/sleeps")(sleeps)
    observed.instrument(app)
    base = run(app)
    request = threading.Thread(target=httpx.get, args=(f"{base}/stops",))
    request.start()
    wait_until(lambda: "(Pdb)" in screen.getvalue())
    time.sleep(3 * BLOCK_SECONDS)
    with os.fdopen(keys, "w") as keyboard:
        keyboard.write("continue\n")
    request.join()
    told.provoke(lambda: httpx.get(f"{base}/sleeps"), "/sleeps", line(sleeps, "time.sleep"))


def test_a_scrape_is_no_block(app: FastAPI, observed: Observed, run: Run) -> None:
    """Even if it is large: 1,000 routes with all their buckets."""
    telemetry = observed.instrument(app)
    duration = telemetry.families.histogram(metrics.HTTP_SERVER_REQUEST_DURATION)
    for number in range(800):
        duration.child("GET", f"/{number}", "200", "http", "").observe(0.1)
    base = run(app)
    for _ in range(3):
        assert "/799" in httpx.get(f"{base}/metrics", timeout=60).text
    watchdog.report(everything=True)
    named = {culprit for _, culprit in Told(observed).culprits()}
    assert not {name for name in named if "scrape" in name or "exposition" in name}


def test_a_process_keeps_a_hundred_culprits(observed: Observed, app: FastAPI) -> None:
    telemetry = observed.instrument(app)
    blocks = telemetry.families.counter(metrics.ASYNCIO_EVENT_LOOP_CULPRIT_BLOCKS)
    for number in range(150):
        blocks.child("/", f"file.py:{number} f").inc()
    found = Told(observed).culprits()
    assert len(found) == 101
    assert found["_overflow", "_overflow"] == 50


def test_nothing_runs_before_a_start_or_after_the_end(app: FastAPI) -> None:
    observed = Observed()
    with observed.stack:
        observed.instrument(app)
        before = set(watchdog._observers)
        with TestClient(app):
            assert set(watchdog._observers) - before
    assert set(watchdog._observers) - before == set()
    if not watchdog._observers:
        names = {thread.name for thread in threading.enumerate()}
        assert "instrumentation-watchdog" not in names
        assert not [c for c in gc.callbacks if "Pauses" in str(c)]


def test_it_can_be_switched_off(observed: Observed, app: FastAPI) -> None:
    observed.instrument(app, blocking_threshold_seconds=0, blocking_header=True)
    client = TestClient(app)
    assert client.get("/sleeps").headers["x-blocking-time"] == "0.0"
    assert observed.value("asyncio_event_loop_lag_seconds_count") == 0


def test_the_threshold_is_a_duration() -> None:
    name = "INSTRUMENTATION_BLOCKING_THRESHOLD"
    for text in ("100", "100ms", "0.1s", "100 ms"):
        assert Settings.from_env({name: text}).blocking_threshold_seconds == 0.1
    assert Settings.from_env({name: "0"}).blocking_threshold_seconds == 0
    for text in ("0.05", "-1", "1h", "5ms", "fast"):
        with pytest.raises(ValueError, match=f"{name} must be 0, or a duration from 10ms to 60s"):
            Settings.from_env({name: text})


def test_the_loops_thread_is_named_in_the_span(
    app: FastAPI, observed: Observed, told: Told, run: Run
) -> None:
    observed.instrument(app)
    url = f"{run(app)}/sleeps"
    span = told.provoke(lambda: httpx.get(url), "/sleeps", line(sleeps, "time.sleep"))
    assert attribute(span, "code.function.name") == "sleeps"
    assert os.path.samefile(attribute(span, "code.file.path"), __file__)
    assert attribute(span, "thread.id")
