"""`INSTRUMENTATION_ASYNCIO_DEBUG`: asyncio's debug mode, and whose callback was slow."""

from __future__ import annotations

import asyncio
import logging
import time
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI

from instrumentation import Settings
from tests.instrumentation.conftest import Observed
from tests.instrumentation.threads import Run, client_of

BLOCK_SECONDS = 0.5


@pytest.fixture
def app() -> FastAPI:
    app = FastAPI()

    @app.get("/block/{number}")
    async def block(number: int) -> None:
        time.sleep(BLOCK_SECONDS)  # noqa: ASYNC251 - the fault

    @app.get("/fine")
    async def fine() -> dict[str, Any]:
        loop: Any = asyncio.get_running_loop()
        return {"debug": loop.get_debug(), "slow": loop.slow_callback_duration}

    return app


def slow(caplog: pytest.LogCaptureFixture) -> list[str]:
    messages = [record.getMessage() for record in caplog.records if record.name == "asyncio"]
    return [message for message in messages if message.startswith("Executing")]


def test_a_slow_callback_is_logged_with_its_route_and_line(
    app: FastAPI, observed: Observed, run: Run, caplog: pytest.LogCaptureFixture
) -> None:
    observed.instrument(app, asyncio_debug=True, blocking_threshold_seconds=0.1)

    async def main() -> None:
        async with client_of(app) as client:
            for _ in range(3):
                # A request in a task of its own, as servers run it, once the heart beats.
                await asyncio.sleep(0.1)
                await asyncio.create_task(client.get("/block/1"))
                if any("/block/{number}" in message for message in slow(caplog)):
                    return

    run(main())
    line = line_of_the_fault()
    ours = [message for message in slow(caplog) if "/block/{number}" in message]
    assert ours[-1].endswith(f" in /block/{{number}}, at test_development.py:{line} block")
    record = next(r for r in caplog.records if getattr(r, "http_route", "") == "/block/{number}")
    assert record.levelno == logging.WARNING


def line_of_the_fault() -> int:
    lines = Path(__file__).read_text().splitlines()
    return next(n for n, text in enumerate(lines, 1) if "noqa: ASYNC251 - the" in text)


def test_the_threshold_is_the_watchdogs_and_all_is_restored(
    app: FastAPI, observed: Observed, run: Run, caplog: pytest.LogCaptureFixture
) -> None:
    filters = list(logging.getLogger("asyncio").filters)
    telemetry = observed.instrument(app, asyncio_debug=True, blocking_threshold_seconds=0.07)

    async def main() -> None:
        loop: Any = asyncio.get_running_loop()
        before = (loop.get_debug(), loop.slow_callback_duration)
        async with client_of(app) as client:
            for _ in range(2):
                answer = (await client.get("/fine")).json()
                assert answer == {"debug": True, "slow": 0.07}
        telemetry.uninstrument()
        assert (loop.get_debug(), loop.slow_callback_duration) == before

    run(main())
    assert logging.getLogger("asyncio").filters == filters
    on = [record for record in caplog.records if "debug mode is on" in record.getMessage()]
    assert len(on) == 1


def test_without_a_watchdog_the_warning_is_asyncios_own(
    app: FastAPI, observed: Observed, run: Run, caplog: pytest.LogCaptureFixture
) -> None:
    observed.instrument(app, asyncio_debug=True, blocking_threshold_seconds=0)

    async def main() -> None:
        async with client_of(app) as client:
            await client.get("/fine")
            await asyncio.create_task(client.get("/block/1"))

    run(main())
    assert any(message.endswith(" seconds") for message in slow(caplog))
    assert not any("/block" in message for message in slow(caplog))


def test_it_is_off_unless_asked_for(app: FastAPI, observed: Observed, run: Run) -> None:
    observed.instrument(app)

    async def main() -> None:
        async with client_of(app) as client:
            assert not (await client.get("/fine")).json()["debug"]

    run(main())


def test_the_variable_is_read_and_checked() -> None:
    assert Settings.from_env({"INSTRUMENTATION_ASYNCIO_DEBUG": "1"}).asyncio_debug
    with pytest.raises(ValueError, match="INSTRUMENTATION_ASYNCIO_DEBUG must be true or false"):
        Settings.from_env({"INSTRUMENTATION_ASYNCIO_DEBUG": "perhaps"})
