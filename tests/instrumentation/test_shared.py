"""What a worker does beside others, and what a scrape says where it can't be answered."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi import FastAPI
from prometheus_client import CollectorRegistry
from prometheus_client.metrics_core import Metric
from starlette.testclient import TestClient

from instrumentation.errors import InternalErrors
from instrumentation.export import workers
from instrumentation.export.directory import Directory
from instrumentation.export.workers import Workers
from instrumentation.series import Families
from tests.instrumentation.conftest import Observed, wait_until


def test_a_worker_keeps_its_gauges_fresh_though_nobody_asks_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workers, "_GAUGES_SECONDS", 0.001)
    families = Families(CollectorRegistry(), 10)
    written: list[int] = []
    families.on_collect(lambda: written.append(1))
    worker = Workers(Directory(tmp_path), families, InternalErrors(families))
    worker.start()
    wait_until(lambda: len(written) > 3)
    worker.release(0)


class Broken:
    """A collector of the user's that fails."""

    def describe(self) -> Iterator[Metric]:
        yield from ()

    def collect(self) -> Iterator[Metric]:
        raise OSError("the sensor is gone")


def test_metrics_that_cannot_be_read_are_a_503_that_says_why(
    observed: Observed, caplog: pytest.LogCaptureFixture
) -> None:
    app = FastAPI()
    observed.instrument(app)
    observed.registry.register(Broken())
    answer = TestClient(app).get("/metrics")
    assert (answer.status_code, answer.text) == (503, "the sensor is gone\n")
    assert "scrape instrumentation failed" in caplog.text
