"""The engine: a bounded pool on SQLite or PostgreSQL."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import event, make_url
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import AsyncAdaptedQueuePool

from commandline.files import demand_writable
from demo_service.models import Base

if TYPE_CHECKING:
    from sqlalchemy import URL

    from demo_service.settings import Settings

_LOCK_WAIT_SECONDS = 5


def make_folder(settings: Settings) -> None:
    """Make the folder of a SQLite file. Raises OSError where no file can be written there."""
    url = make_url(settings.database)
    if url.get_backend_name() == "sqlite":
        file = Path(str(url.database))
        demand_writable(file)
        file.parent.mkdir(parents=True, exist_ok=True)


def create_engine(settings: Settings) -> AsyncEngine:
    """Return an engine for `settings.database`; nothing is connected yet."""
    make_folder(settings)
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
