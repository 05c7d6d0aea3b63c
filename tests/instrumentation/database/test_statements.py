"""One span and one observation a statement, on the real library."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from fastapi import FastAPI
from opentelemetry.trace import SpanKind, StatusCode
from sqlalchemy import Column, Integer, MetaData, String, Table, create_engine, insert, select, text
from sqlalchemy.engine import Engine
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import StaticPool
from starlette.testclient import TestClient

from instrumentation import Settings
from tests.instrumentation.conftest import Observed

users = Table(
    "users",
    MetaData(),
    Column("id", Integer, primary_key=True),
    Column("name", String, unique=True),
)


def memory() -> Engine:
    """A database in memory that any thread may use and close."""
    return create_engine(
        "sqlite://", poolclass=StaticPool, connect_args={"check_same_thread": False}
    )


@pytest.fixture
async def early() -> AsyncIterator[AsyncEngine]:
    engine = create_async_engine("sqlite+aiosqlite://")
    yield engine
    await engine.dispose()


@pytest.mark.proves("Database", "engines made before instrument() and after")
@pytest.mark.proves("Database", "SQLite")
@pytest.mark.proves("Database", "semantic-convention attributes and operation metrics")
@pytest.mark.anyio
@pytest.mark.parametrize("made_before", [True, False])
async def test_an_engine_is_seen_whenever_it_was_made(
    observed: Observed, early: AsyncEngine, made_before: bool
) -> None:
    observed.instrument(FastAPI())
    engine = early if made_before else create_async_engine("sqlite+aiosqlite://")
    async with engine.connect() as connection:
        await connection.execute(text("SELECT 'secret', :x"), {"x": "hidden"})
    if not made_before:
        await engine.dispose()
    span = observed.span(SpanKind.CLIENT)
    assert dict(span.attributes or {}) == {
        "db.system.name": "sqlite",
        "db.operation.name": "SELECT",
        "db.query.text": "SELECT ?, ?",
        "db.query.summary": "SELECT",
    }
    labels = {"db_system_name": "sqlite", "db_operation_name": "SELECT", "error_type": ""}
    assert observed.value("db_client_operation_duration_seconds_count", **labels) == 1


@pytest.mark.proves("Database", "a failed statement ends its span with the exception event")
def test_a_failed_statement_ends_its_span_with_the_exception(observed: Observed) -> None:
    observed.instrument(FastAPI())
    engine = memory()
    with engine.connect() as connection:
        users.create(connection)
        connection.execute(insert(users), {"id": 1, "name": "secret-name"})
        with pytest.raises(IntegrityError):
            connection.execute(insert(users), {"id": 2, "name": "secret-name"})
    engine.dispose()
    failed = observed.spans(SpanKind.CLIENT)[-1]
    assert failed.status.status_code is StatusCode.ERROR
    assert (failed.attributes or {})["error.type"] == "sqlite3.IntegrityError"
    assert (failed.attributes or {})["db.response.status_code"] == "2067"
    (event,) = failed.events
    assert event.name == "exception"
    assert "secret-name" not in failed.to_json()


def test_an_sqlalchemy_error_tells_the_server_span_no_parameter(observed: Observed) -> None:
    app = FastAPI()
    engine = memory()

    @app.get("/")
    def endpoint(secret: str) -> None:
        with engine.connect() as connection:
            connection.execute(text("SELECT * FROM missing WHERE x = :x"), {"x": secret})

    observed.instrument(app)
    with pytest.raises(OperationalError, match="sesame"):
        TestClient(app).get("/?secret=sesame")
    engine.dispose()
    server = observed.span()
    assert (server.attributes or {})["error.type"] == "sqlalchemy.exc.OperationalError"
    assert "missing" in server.to_json()
    assert "sesame" not in server.to_json()


def test_statements_are_children_of_their_request(observed: Observed) -> None:
    app = FastAPI()
    engine = memory()

    @app.get("/")
    def endpoint() -> int:
        with engine.connect() as connection:
            return connection.scalar(select(1)) or 0

    observed.instrument(app)
    TestClient(app).get("/")
    engine.dispose()
    server, statement = observed.span(), observed.span(SpanKind.CLIENT)
    assert statement.parent is not None
    assert statement.parent.span_id == server.context.span_id


@pytest.mark.proves("Database", "a cancelled statement ends its span with the exception event")
@pytest.mark.anyio
async def test_a_cancelled_statement_ends_its_span(observed: Observed, early: AsyncEngine) -> None:
    observed.instrument(FastAPI())
    endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n"
    async with early.connect() as connection:
        raw = await connection.get_raw_connection()
        driver = raw.driver_connection
        assert driver is not None
        task = asyncio.create_task(connection.execute(text(f"{endless} WHERE i < 0")))
        await asyncio.sleep(0.05)
        task.cancel()
        await asyncio.sleep(0)
        await driver.interrupt()
        with pytest.raises(asyncio.CancelledError):
            await task
    (span,) = observed.spans(SpanKind.CLIENT)
    assert (span.attributes or {})["error.type"] == "asyncio.exceptions.CancelledError"
    assert [event.name for event in span.events] == ["exception"]


def test_only_the_engines_that_were_named(observed: Observed) -> None:
    named, other = memory(), memory()
    observed.instrument_with(FastAPI(), engines=[named])
    for engine in (named, other):
        with engine.connect() as connection:
            connection.execute(text("SELECT 1"))
        engine.dispose()
    assert len(observed.spans(SpanKind.CLIENT)) == 1


def test_something_else_than_an_engine_is_refused(observed: Observed) -> None:
    with pytest.raises(ValueError, match="engines must hold SQLAlchemy engines, got 'sqlite://'"):
        observed.instrument_with(FastAPI(), engines=["sqlite://"])


def test_uninstrument_takes_the_listeners_away(observed: Observed) -> None:
    telemetry = observed.instrument_with(FastAPI(), Settings())
    telemetry.uninstrument()
    engine = memory()
    with engine.connect() as connection:
        connection.execute(text("SELECT 1"))
    engine.dispose()
    assert observed.spans(SpanKind.CLIENT) == []


def test_an_engine_that_was_named_is_seen_with_other_options(observed: Observed) -> None:
    engine = memory()
    observed.instrument_with(FastAPI(), engines=[engine])
    with engine.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
        connection.execute(text("SELECT 1"))
    engine.dispose()
    assert len(observed.spans(SpanKind.CLIENT)) == 1


def test_an_excluded_request_leaves_no_statement_behind(observed: Observed) -> None:
    app = FastAPI()
    engine = memory()

    @app.get("/readyz")
    def ready() -> int:
        with engine.connect() as connection:
            return connection.scalar(select(1)) or 0

    observed.instrument(app)
    assert TestClient(app).get("/readyz").json() == 1
    engine.dispose()
    assert observed.exporter.get_finished_spans() == ()
    assert observed.value("db_client_operation_duration_seconds_count") is None
