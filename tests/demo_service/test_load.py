"""The load generator asks for as much as the shape says, counted where it arrives."""

from __future__ import annotations

import asyncio
import signal
import time
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from demo_service import app as orders
from demo_service import shape
from demo_service.load import PERIOD_SECONDS
from tests.demo_service.processes import program
from tests.demo_service.running import LOOPBACK, free_port, under_uvicorn

if TYPE_CHECKING:
    from pathlib import Path

    from demo_service.settings import Settings

pytestmark = pytest.mark.anyio

BASE = 30.0
TOLERANCE = 0.05


class Counting:
    """Notes when each request came, and how it was answered."""

    def __init__(self, app: Any) -> None:
        self._app = app
        self.came: list[float] = []
        self.statuses: list[int] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        async def noting(message: Any) -> None:
            if message["type"] == "http.response.start":
                self.statuses.append(message["status"])
            await send(message)

        if scope["type"] == "http" and scope["path"].startswith("/api/"):
            self.came.append(time.monotonic())
        await self._app(scope, receive, noting)

    async def rate(self, turns: int) -> float:
        """Return the requests a second that come while every user has `turns` turns."""
        begin, length = time.monotonic(), turns * PERIOD_SECONDS
        await asyncio.sleep(length + 0.5)
        return sum(begin <= at < begin + length for at in self.came) / length


@pytest.fixture
def database_url(tmp_path: Path) -> str:
    return f"sqlite+aiosqlite:///{tmp_path}/orders.db"


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """The real sizes, and the secret that is kept in the state folder."""
    return settings.model_copy(
        update={"webhook_secret": None, "pool_size": 5, "pool_overflow": 5, "pool_timeout": 5.0}
    )


async def test_the_rate_follows_the_shape_and_the_factor(
    settings: Settings, tmp_path: Path
) -> None:
    counting = Counting(orders.create_app(settings))
    port = free_port()
    async with under_uvicorn(counting) as url:
        environment = {
            "DEMO_ORDERS_URL": url,
            "DEMO_STATE_DIR": str(settings.state_dir),
            "DEMO_LOAD_RATE": str(BASE),
            "LOAD_PORT": str(port),
        }
        with program("demo_service.load", tmp_path / "log", **environment) as load:
            async with httpx.AsyncClient(base_url=f"http://{LOOPBACK}:{port}") as control:
                while len(counting.came) < BASE:
                    await asyncio.sleep(0.1)
                await asyncio.sleep(1.0)
                full = await counting.rate(turns=2)
                await _set_factor(control, 0.6)
                low = await counting.rate(turns=2)
                await _set_factor(control, 1.0)
                again = await counting.rate(turns=1)
            load.send_signal(signal.SIGTERM)
            assert await asyncio.to_thread(load.wait, 10) == 0
    assert full == pytest.approx(shape.rate(time.time(), BASE), rel=TOLERANCE)
    assert low == pytest.approx(0.6 * full, rel=TOLERANCE)
    assert again == pytest.approx(full, rel=TOLERANCE)
    assert len(counting.statuses) >= len(counting.came)
    assert {status for status in counting.statuses if status >= 400} <= {404, 422}


async def _set_factor(control: httpx.AsyncClient, factor: float) -> None:
    bodies: list[Any] = [{}, {"factor": True}, {"factor": "0.5"}, {"factor": -1}, {"factor": 9}, []]
    for wrong in bodies:
        assert (await control.put("/factor", json=wrong)).status_code == 422
    answer = await control.put("/factor", json={"factor": factor})
    assert answer.json()["factor"] == factor
    assert (await control.get("/factor")).json()["factor"] == factor
    # The shape is looked at once a second; leave a little for the change itself.
    await asyncio.sleep(2.5)
