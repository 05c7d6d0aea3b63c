"""A synchronous engine on a real PostgreSQL: sessions, two-phase commits, server-side cursors."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF
from opentelemetry.trace import SpanKind, format_span_id, format_trace_id
from sqlalchemy import create_engine, event, select, text
from sqlalchemy.engine import Engine
from sqlalchemy.orm import Session
from starlette.testclient import TestClient

from tests.instrumentation.conftest import Observed
from tests.instrumentation.database.test_statements_postgresql import Base, Order

OWN_TEXT = text("SELECT query FROM pg_stat_activity WHERE pid = pg_backend_pid()")


@pytest.fixture
def engine(postgresql_folder: Path) -> Iterator[Engine]:
    """An engine on an empty table."""
    made = create_engine(f"postgresql+psycopg://postgres@/postgres?host={postgresql_folder}")
    Base.metadata.drop_all(made)
    Base.metadata.create_all(made)
    yield made
    made.dispose()


def names(observed: Observed) -> list[str]:
    return [span.name for span in observed.spans(SpanKind.CLIENT)]


@pytest.mark.proves("Database", "ORM and Core")
@pytest.mark.proves("Database", "sync and async")
@pytest.mark.proves("Database", "PostgreSQL through psycopg")
def test_what_a_session_does_in_a_request(observed: Observed, engine: Engine) -> None:
    app = FastAPI()

    @app.post("/orders")
    def place() -> None:
        with Session(engine) as session, session.begin():
            session.add(Order(id=1, name="one"))
            session.flush()
            session.scalars(select(Order)).all()

    observed.instrument(app)
    assert TestClient(app).post("/orders").status_code == 200
    assert names(observed) == ["INSERT orders", "SELECT orders"]
    server = observed.span()
    parents = {span.parent.span_id for span in observed.spans(SpanKind.CLIENT) if span.parent}
    assert parents == {server.context.span_id}


def test_two_phase_transactions_work_as_before(observed: Observed, engine: Engine) -> None:
    observed.instrument(FastAPI())
    with engine.connect() as connection:
        transaction = connection.begin_twophase()
        connection.execute(text("INSERT INTO orders VALUES (1, 'one')"))
        transaction.prepare()
        transaction.commit()
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM orders")) == 1
    assert names(observed) == ["INSERT orders", "SELECT orders"]


def test_server_side_cursors_work_as_before(observed: Observed, engine: Engine) -> None:
    observed.instrument_with(FastAPI())
    with engine.connect().execution_options(stream_results=True) as connection:
        rows = connection.execute(text("SELECT generate_series(1, 3000) AS i"))
        assert sum(row.i for row in rows) == 3000 * 3001 // 2
    assert names(observed) == ["SELECT"]


def test_savepoints_are_statements(observed: Observed, engine: Engine) -> None:
    observed.instrument(FastAPI())
    with engine.begin() as connection, connection.begin_nested():
        connection.execute(text("SELECT 1"))
    assert names(observed) == ["SAVEPOINT", "SELECT", "RELEASE"]


@pytest.mark.proves("Database", "optional sqlcommenter")
def test_the_database_sees_the_trace_of_a_sampled_statement(
    observed: Observed, engine: Engine
) -> None:
    observed.instrument(FastAPI(), sqlcommenter=True)
    with engine.connect() as connection:
        seen = connection.scalar(OWN_TEXT)
    span = observed.span(SpanKind.CLIENT)
    context = span.context
    parent = f"{format_trace_id(context.trace_id)}-{format_span_id(context.span_id)}"
    flags = f"{context.trace_flags:02x}"
    assert seen == f"{OWN_TEXT.text} /*traceparent='00-{parent}-{flags}'*/"
    assert "traceparent" not in str((span.attributes or {})["db.query.text"])


@pytest.mark.proves("Database", "optional sqlcommenter")
def test_without_the_setting_no_statement_is_changed(observed: Observed, engine: Engine) -> None:
    observed.instrument(FastAPI())
    with engine.connect() as connection:
        assert connection.scalar(OWN_TEXT) == OWN_TEXT.text


@pytest.mark.proves("Database", "optional sqlcommenter")
@pytest.mark.parametrize(
    "statement",
    ["SELECT 1 -- one", "/*+ SeqScan(orders) */ SELECT 1", "SELECT '--'"],
)
def test_a_statement_with_a_comment_stays_as_it_is(
    observed: Observed, engine: Engine, statement: str
) -> None:
    observed.instrument(FastAPI(), sqlcommenter=True)
    sent: list[str] = []

    @event.listens_for(engine, "before_cursor_execute")
    def remember(connection: Any, cursor: Any, text: str, *rest: Any) -> None:
        sent.append(text)

    with engine.connect() as connection:
        connection.execute(text(statement))
    assert sent == [statement]


@pytest.mark.proves("Database", "optional sqlcommenter")
def test_a_commented_statement_still_takes_parameters_rows_and_errors(
    observed: Observed, engine: Engine
) -> None:
    observed.instrument(FastAPI(), sqlcommenter=True)
    with Session(engine) as session, session.begin():
        session.add_all(Order(id=number, name=f"100 % of {number}") for number in range(50))
        session.flush()
        found = session.scalars(select(Order).where(Order.name.like("100 % of 4%")))
        assert len(found.all()) == 11
        session.execute(text("DELETE FROM orders WHERE id = :id;"), {"id": 1})
    assert len(names(observed)) == 3


@pytest.mark.proves("Database", "optional sqlcommenter")
def test_a_statement_that_is_not_sampled_keeps_its_text(engine: Engine) -> None:
    """Nobody could find its trace, and the same text can be prepared once."""
    unsampled = Observed(provider=TracerProvider(sampler=ALWAYS_OFF, shutdown_on_exit=False))
    with unsampled.stack:
        unsampled.instrument(FastAPI(), sqlcommenter=True)
        with engine.connect() as connection:
            assert connection.scalar(OWN_TEXT) == OWN_TEXT.text
