"""One span and one observation a statement, on a real PostgreSQL, by each driver."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from fastapi import FastAPI
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import SpanKind, StatusCode
from sqlalchemy import bindparam, delete, exc, insert, select, text
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from tests.instrumentation.conftest import Observed

pytestmark = [pytest.mark.anyio]


class Base(DeclarativeBase):
    pass


class Order(Base):
    __tablename__ = "orders"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)


@pytest.fixture(params=["asyncpg", "psycopg"])
async def engine(request: Any, postgresql_folder: Path) -> AsyncIterator[AsyncEngine]:
    """An engine on an empty table."""
    address = f"postgresql+{request.param}://postgres@/postgres?host={postgresql_folder}"
    made = create_async_engine(address)
    async with made.begin() as connection:
        await connection.run_sync(Base.metadata.drop_all)
        await connection.run_sync(Base.metadata.create_all)
    yield made
    await made.dispose()


def attributes(span: ReadableSpan) -> dict[str, Any]:
    return dict(span.attributes or {})


def count(observed: Observed, operation: str, error_type: str = "") -> float | None:
    labels = {"db_operation_name": operation, "error_type": error_type}
    return observed.value("db_client_operation_duration_seconds_count", **labels)


@pytest.mark.proves("Database", "PostgreSQL through asyncpg")
@pytest.mark.proves("Database", "PostgreSQL through psycopg")
@pytest.mark.proves("Database", "semantic-convention attributes and operation metrics")
@pytest.mark.proves("Database", "one span a statement, none for connecting")
async def test_each_statement_is_one_span(
    observed: Observed, engine: AsyncEngine, postgresql_folder: Path
) -> None:
    observed.instrument(FastAPI())
    async with engine.connect() as connection:
        await connection.execute(text("SELECT id FROM orders WHERE name = 'x' LIMIT 3"))
        await connection.execute(select(Order.id).where(Order.name == "secret"))
        await connection.commit()
    first, second = observed.spans(SpanKind.CLIENT)
    assert first.name == second.name == "SELECT orders"
    assert attributes(first) == {
        "db.system.name": "postgresql",
        "db.namespace": "postgres",
        "db.operation.name": "SELECT",
        "db.query.summary": "SELECT orders",
        "db.query.text": "SELECT id FROM orders WHERE name = ? LIMIT ?",
        "server.address": str(postgresql_folder),
    }
    assert "secret" not in second.to_json()
    assert count(observed, "SELECT") == 2


@pytest.mark.proves("Database", "ORM and Core")
@pytest.mark.proves("Database", "sync and async")
async def test_what_an_asynchronous_session_does(observed: Observed, engine: AsyncEngine) -> None:
    observed.instrument(FastAPI())
    async with AsyncSession(engine) as session, session.begin():
        session.add_all([Order(id=1, name="one"), Order(id=2, name="two")])
        await session.flush()
        session.expunge_all()
        (await session.get_one(Order, 1)).name = "uno"
        await session.execute(delete(Order).where(Order.id == 2))
    names = [span.name for span in observed.spans(SpanKind.CLIENT)]
    assert names == ["BATCH INSERT orders", "SELECT orders", "UPDATE orders", "DELETE orders"]


@pytest.mark.proves("Database", "semantic-convention attributes and operation metrics")
async def test_a_batch_says_its_size(observed: Observed, engine: AsyncEngine) -> None:
    observed.instrument(FastAPI())
    rows = [{"key": number, "called": f"order {number}"} for number in range(7)]
    statement = text("INSERT INTO orders (id, name) VALUES (:key, :called)")
    async with engine.begin() as connection:
        await connection.execute(statement, rows)
        await connection.execute(statement, [{"key": 7, "called": "the last"}])
        assert len((await connection.execute(select(Order.id))).all()) == 8
    batch, single, _ = observed.spans(SpanKind.CLIENT)
    assert batch.name == "BATCH INSERT orders"
    assert attributes(batch)["db.operation.name"] == "BATCH INSERT"
    assert attributes(batch)["db.operation.batch.size"] == 7
    assert single.name == "INSERT orders"
    assert "db.operation.batch.size" not in attributes(single)
    assert count(observed, "BATCH INSERT") == 1


async def test_many_values_in_one_statement_are_no_batch(
    observed: Observed, engine: AsyncEngine
) -> None:
    observed.instrument(FastAPI())
    rows = [{"id": number, "name": f"order {number}"} for number in range(2500)]
    async with engine.begin() as connection:
        found = await connection.execute(insert(Order).returning(Order.id), rows)
        assert len(found.all()) == 2500
    spans = observed.spans(SpanKind.CLIENT)
    assert len(spans) == 3, "SQLAlchemy sends a thousand rows in a statement"
    assert {span.name for span in spans} == {"INSERT orders"}


@pytest.mark.proves("Database", "a failed statement ends its span with the exception event")
async def test_a_failure_is_told_by_the_databases_code(
    observed: Observed, engine: AsyncEngine
) -> None:
    observed.instrument(FastAPI())
    async with engine.connect() as connection:
        await connection.execute(insert(Order), {"id": 1, "name": "secret-name"})
        with pytest.raises(exc.IntegrityError):
            await connection.execute(insert(Order), {"id": 2, "name": "secret-name"})
    failed = observed.spans(SpanKind.CLIENT)[-1]
    assert failed.status.status_code is StatusCode.ERROR
    assert attributes(failed)["db.response.status_code"] == "23505"
    error_type = attributes(failed)["error.type"]
    assert error_type in (
        "asyncpg.exceptions.UniqueViolationError",
        "psycopg.errors.UniqueViolation",
    )
    assert [event.name for event in failed.events] == ["exception"]
    assert "secret-name" not in failed.to_json()
    assert count(observed, "INSERT", error_type) == 1


@pytest.mark.proves("Database", "a cancelled statement ends its span with the exception event")
async def test_a_cancelled_statement_ends_its_span(
    observed: Observed, engine: AsyncEngine, postgresql_folder: Path
) -> None:
    observed.instrument_with(FastAPI(), engines=[engine])

    async def slow() -> None:
        async with engine.connect() as connection:
            await connection.execute(text("SELECT pg_sleep(30)"))

    task = asyncio.create_task(slow())
    await until_the_server_sleeps(postgresql_folder, task)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    span = observed.span(SpanKind.CLIENT)
    assert span.status.status_code is StatusCode.ERROR
    assert attributes(span)["error.type"] == "asyncio.exceptions.CancelledError"
    assert [event.name for event in span.events] == ["exception"]
    assert count(observed, "SELECT", "asyncio.exceptions.CancelledError") == 1


async def until_the_server_sleeps(folder: Path, task: asyncio.Task[None]) -> None:
    sleeping = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'"
    address = f"host={folder} user=postgres"
    async with await psycopg.AsyncConnection.connect(address, autocommit=True) as watcher:
        while not task.done():
            if (await (await watcher.execute(sleeping)).fetchone()) == (1,):
                return
            await asyncio.sleep(0.01)
        await task
    raise AssertionError("the statement never began")


async def test_rows_that_are_streamed_belong_to_one_statement(
    observed: Observed, engine: AsyncEngine
) -> None:
    observed.instrument(FastAPI())
    series = text("SELECT generate_series(1, :n) AS i").bindparams(bindparam("n", 5000))
    async with engine.connect() as connection:
        result = await connection.stream(series, execution_options={"yield_per": 100})
        assert sum([row.i async for row in result]) == 5000 * 5001 // 2
    assert [span.name for span in observed.spans(SpanKind.CLIENT)] == ["SELECT"]


async def test_the_drivers_own_connection_works_as_before(
    observed: Observed, engine: AsyncEngine
) -> None:
    observed.instrument(FastAPI())
    raw = await engine.raw_connection()
    driver = raw.driver_connection
    assert driver is not None
    await driver.execute("SELECT 1")
    async with engine.connect() as connection:
        await connection.run_sync(lambda _: raw.close())
    assert observed.spans(SpanKind.CLIENT) == [], "SQLAlchemy sends none of this"


async def test_a_statement_that_fails_halfway_through_its_rows_is_one_span(
    observed: Observed, engine: AsyncEngine
) -> None:
    observed.instrument(FastAPI())
    async with engine.connect() as connection:
        with pytest.raises(exc.DBAPIError):
            await connection.execute(text("SELECT 1 / (3 - g) FROM generate_series(1, 5) g"))
    (span,) = observed.spans(SpanKind.CLIENT)
    assert attributes(span)["db.response.status_code"] == "22012"
