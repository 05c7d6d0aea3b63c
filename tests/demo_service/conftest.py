"""What the demo's tests share: both databases, the real payment provider, the service."""

from __future__ import annotations

import contextlib
import os
import uuid
from typing import TYPE_CHECKING

import pytest
from pydantic import SecretStr
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from demo_service import app as orders
from demo_service.payments import app as payments
from demo_service.settings import Settings
from tests.demo_service import postgresql
from tests.demo_service.running import in_process, under_uvicorn

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

    import httpx
    from fastapi import FastAPI

SECRET = "known to both sides"


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(autouse=True)
def plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Settings come from the test alone; what the services observe is tested elsewhere."""
    for variable in [*os.environ]:
        if variable.startswith(
            ("DEMO_", "OTEL_", "DATABASE_URL", "PAYMENTS_PORT", "RECEIPTS_PORT", "LOAD_PORT")
        ):
            monkeypatch.delenv(variable)
    monkeypatch.setenv("OTEL_SDK_DISABLED", "true")


@pytest.fixture(scope="session")
def postgresql_folder() -> Iterator[Path]:
    with contextlib.ExitStack() as stack:
        try:
            folder = stack.enter_context(postgresql.server())
        except postgresql.UnavailableError as reason:
            if os.environ.get("CI") == "true":
                pytest.fail(f"PostgreSQL can't run here: {reason}")
            pytest.skip(f"NOT TESTED on PostgreSQL, which can't run here: {reason}")
        yield folder


@pytest.fixture(params=["sqlite", "postgresql"])
async def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of an empty database, once of either kind."""
    if request.param == "sqlite":
        return f"sqlite+aiosqlite:///{tmp_path}/folder/orders.db"
    folder = request.getfixturevalue("postgresql_folder")
    url = f"postgresql+asyncpg://postgres@/{{}}?host={folder}"
    name = f"orders_{uuid.uuid4().hex}"
    engine = create_async_engine(url.format("postgres"), isolation_level="AUTOCOMMIT")
    async with engine.connect() as connection:
        await connection.execute(text(f"CREATE DATABASE {name}"))
    await engine.dispose()
    return url.format(name)


@pytest.fixture
async def payments_url() -> AsyncIterator[str]:
    async with under_uvicorn(payments.create_app(Settings(admin=True))) as url:
        yield url


@pytest.fixture
def settings(database_url: str, payments_url: str, tmp_path: Path) -> Settings:
    return Settings(
        admin=True,
        database_url=database_url,
        payments_url=payments_url,
        state_dir=tmp_path,
        webhook_secret=SecretStr(SECRET),
        pool_size=2,
        pool_overflow=1,
        pool_timeout=30.0,
    )


@pytest.fixture
def app(settings: Settings) -> FastAPI:
    return orders.create_app(settings)


@pytest.fixture
async def client(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the orders service that shares its event loop."""
    async with in_process(app) as client:
        yield client
