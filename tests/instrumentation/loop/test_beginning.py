"""What blocks the loop first is found too: an application that starts, or its first request."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from starlette.types import ASGIApp, Receive, Scope, Send

from tests.instrumentation.conftest import Observed, wait_until
from tests.instrumentation.loop.conftest import BLOCK_SECONDS, Told, line

Run = Callable[[Any], str]


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    time.sleep(BLOCK_SECONDS)
    yield


async def sleeps() -> None:
    time.sleep(BLOCK_SECONDS)


def without_lifespan(app: ASGIApp) -> ASGIApp:
    async def layer(scope: Scope, receive: Receive, send: Send) -> None:
        assert scope["type"] == "http"
        await app(scope, receive, send)

    return layer


def starts(run: Run, app: FastAPI) -> None:
    run(app)


def is_asked(run: Run, app: FastAPI) -> None:
    httpx.get(f"{run(without_lifespan(app))}/sleeps")


@pytest.mark.parametrize(
    ("begins", "route", "culprit"),
    [(starts, "", lifespan.__wrapped__), (is_asked, "/sleeps", sleeps)],  # type: ignore[attr-defined]
)
def test_the_line_and_the_route_are_named(
    run: Run,
    begins: Callable[[Run, FastAPI], None],
    route: str,
    culprit: Callable[..., Any],
) -> None:
    wanted = (route, line(culprit, "time.sleep"))
    found: dict[tuple[str, str], float] = {}
    for _ in range(5):  # on a machine where others take all CPU, nobody may get to look
        observed = Observed()
        with observed.stack:
            app = FastAPI(lifespan=lifespan) if begins is starts else FastAPI()
            app.get("/sleeps")(sleeps)
            observed.instrument(app)
            begins(run, app)
            with suppress(AssertionError):
                wait_until(lambda: Told(observed).culprits(), 2.5)  # noqa: B023 - called at once
            found = Told(observed).culprits()
        if wanted in found:
            break
    assert wanted in found
