"""A pytest plugin for other projects' suites: every application that a test makes is instrumented.

It is loaded in the suite's own environment, where nothing of this project but the library is
installed, and does what a user does: `instrument(app)` right after the application was made.

`SUITE_FOLDER` is where each process writes what became of its tests, and what the library saw
and failed at meanwhile. `SUITE_INSTRUMENT` is `no`, `yes`, or `keep` for the frameworks' own
telemetry kept.
"""

from __future__ import annotations

import functools
import json
import os
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor, TracerProvider
from prometheus_client import CollectorRegistry
from starlette.applications import Starlette

from instrumentation import Settings, instrument

MODE = os.environ["SUITE_INSTRUMENT"]

_outcomes: dict[str, str] = {}
_registry = CollectorRegistry()
_provider = TracerProvider(shutdown_on_exit=False)


class Count(SpanProcessor):
    """How many spans ended."""

    def __init__(self) -> None:
        self.spans = 0

    def on_end(self, span: ReadableSpan) -> None:
        self.spans += 1


_count = Count()


def pytest_configure(config: pytest.Config) -> None:
    """Have both frameworks' applications instrumented as they are made."""
    if MODE == "no":
        return
    _provider.add_span_processor(_count)
    _instrumented(Starlette)
    try:
        from fastapi import FastAPI
    except ModuleNotFoundError:
        return
    _instrumented(FastAPI)


def _instrumented(kind: type[Any]) -> None:
    original = kind.__init__
    settings = Settings(fastapi_telemetry=MODE == "keep")

    @functools.wraps(original)
    def init(self: Any, *args: Any, **kwargs: Any) -> None:
        original(self, *args, **kwargs)
        instrument(self, settings, registry=_registry, tracer_provider=_provider)

    kind.__init__ = init


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Keep the worst outcome of a test's phases."""
    if report.failed or report.when == "call":
        failed = report.failed or _outcomes.get(report.nodeid) == "failed"
        _outcomes[report.nodeid] = "failed" if failed else report.outcome


def pytest_sessionfinish() -> None:
    """Write down what this process knows."""
    errors = {
        sample.labels["part"]: sample.value
        for family in _registry.collect()
        for sample in family.samples
        if sample.name == "instrumentation_internal_errors_total" and sample.value
    }
    found = {"outcomes": _outcomes, "spans": _count.spans, "errors": errors}
    Path(os.environ["SUITE_FOLDER"], f"{os.getpid()}.json").write_text(json.dumps(found))
