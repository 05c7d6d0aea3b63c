"""Engines on real databases, and what the pool's metrics say of them."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from sqlalchemy import create_engine
from sqlalchemy.engine import Engine

from tests.demo_service import postgresql
from tests.instrumentation.conftest import Observed


@pytest.fixture(scope="session")
def postgresql_folder() -> Iterator[Path]:
    """The folder of a real server's socket."""
    with postgresql.server() as folder:
        yield folder


@pytest.fixture
def database(tmp_path: Path) -> str:
    """The address of a database file."""
    return f"sqlite:///{tmp_path}/orders.db"


@pytest.fixture
def engines() -> Iterator[contextlib.ExitStack]:
    """Disposes of what is entered."""
    with contextlib.ExitStack() as stack:
        yield stack


@dataclass
class PoolMetrics:
    """The metrics of one pool, read when asked."""

    observed: Observed
    name: str

    def connections(self) -> tuple[float | None, float | None]:
        """Idle and used ones, as one collection tells them."""
        found = {
            sample.labels["db_client_connection_state"]: sample.value
            for family in self.observed.registry.collect()
            for sample in family.samples
            if sample.name == "db_client_connection_count"
            and sample.labels["db_client_connection_pool_name"] == self.name
        }
        return found.get("idle"), found.get("used")

    def value(self, name: str) -> float | None:
        return self.observed.value(
            f"db_client_connection_{name}", db_client_connection_pool_name=self.name
        )


@pytest.fixture
def pool(observed: Observed) -> PoolMetrics:
    """What is told of the pools named orders, in an instrumented process."""
    observed.instrument(FastAPI())
    return PoolMetrics(observed, "orders")


def orders(url: str, **options: Any) -> Engine:
    """An engine whose pool is named orders."""
    return create_engine(url, pool_logging_name="orders", **options)
