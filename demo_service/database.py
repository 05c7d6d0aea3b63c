"""The engine: a bounded pool on SQLite or PostgreSQL."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import event, make_url
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import AsyncAdaptedQueuePool

from demo_service.models import Base

if TYPE_CHECKING:
    from sqlalchemy import URL

    from demo_service.settings import Settings

_LOCK_WAIT_SECONDS = 5


def create_engine(settings: Settings) -> AsyncEngine:
    """Return an engine for `settings.database`; nothing is connected yet."""
    url = make_url(settings.database)
    engine = create_async_engine(
        url,
        # SQLite gets the same bounded pool, so that it can run dry as a server's would.
        poolclass=AsyncAdaptedQueuePool,
        pool_size=settings.pool_size,
        max_overflow=settings.pool_overflow,
        pool_timeout=settings.pool_timeout,
        pool_logging_name="orders",
        **_driver_options(url),
    )
    if url.get_backend_name() == "sqlite":
        event.listen(engine.sync_engine, "connect", _tune_sqlite)
    return engine


async def create_tables(engine: AsyncEngine) -> None:
    """Create the tables that do not exist yet."""
    async with engine.begin() as connection:
        await connection.run_sync(Base.metadata.create_all)


def _driver_options(url: URL) -> dict[str, Any]:
    if url.get_backend_name() == "sqlite":
        Path(str(url.database)).parent.mkdir(parents=True, exist_ok=True)
        return {"connect_args": {"timeout": _LOCK_WAIT_SECONDS}}
    # A ping finds the connections that a restarted server has dropped.
    return {"pool_pre_ping": True, "connect_args": {"timeout": 5, "command_timeout": 10}}


def _tune_sqlite(connection: Any, _record: object) -> None:
    """Let readers and one writer work side by side, and have writers wait for each other."""
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=NORMAL")
    cursor.execute(f"PRAGMA busy_timeout={_LOCK_WAIT_SECONDS * 1000}")
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.close()
