"""Log records tell which trace they belong to."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import structlog
from fastapi import FastAPI
from opentelemetry.trace import TraceFlags, format_span_id, format_trace_id

from instrumentation import logs
from instrumentation.logs import add_trace_context
from tests.instrumentation.conftest import Observed, Serve, wait_until

DOCS = Path(__file__).parents[2] / "docs"
logger = logging.getLogger("tests.logs")


class Kept(logging.Handler):
    """Keeps every record."""

    def __init__(self) -> None:
        super().__init__()
        self.records: list[Any] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record)


@contextlib.contextmanager
def kept(name: str = "tests.logs") -> Iterator[list[Any]]:
    handler, target = Kept(), logging.getLogger(name)
    level = target.level
    target.addHandler(handler)
    target.setLevel(logging.DEBUG)
    try:
        yield handler.records
    finally:
        target.removeHandler(handler)
        target.setLevel(level)


@pytest.fixture(autouse=True)
def nobody_else() -> Iterator[None]:
    """What other tests have instrumented and left in this process puts no fields into records."""
    others = tuple(logs._installed)
    for each in others:
        logs._uninstall(each)
    yield
    for each in others:
        logs.install(each)


def application() -> FastAPI:
    app = FastAPI()

    @app.get("/")
    async def endpoint() -> None:
        logger.info("in the loop")

    @app.get("/threads")
    def in_a_thread() -> None:
        logger.info("in a thread")

    @app.get("/extra")
    async def extra() -> None:
        logger.info("a record with its own", extra={"trace_id": "mine"})

    @app.get("/fails")
    async def fails() -> None:
        raise ValueError("no")

    return app


def ids(observed: Observed) -> tuple[str, str]:
    wait_until(observed.spans)  # a client has its answer before the span ends
    context = observed.span().get_span_context()
    assert context is not None
    return format_trace_id(context.trace_id), format_span_id(context.span_id)


@pytest.mark.proves("Processes", "log records carry trace_id, span_id and the service name")
@pytest.mark.parametrize("path", ["/", "/threads"])
def test_a_record_carries_trace_span_and_service(
    observed: Observed, serve: Serve, path: str
) -> None:
    app = application()
    observed.instrument(app, service_name="shop")
    with kept() as records:
        httpx.get(serve(app) + path)
    (record,) = records
    assert (record.trace_id, record.span_id) == ids(observed)
    assert record.service_name == "shop"
    assert int(record.trace_flags, 16) & TraceFlags.SAMPLED


def test_a_record_outside_of_a_request_has_the_fields_but_no_trace(observed: Observed) -> None:
    observed.instrument(application(), service_name="shop")
    with kept() as records:
        logger.info("start")
    text = logging.Formatter("%(service_name)s [%(trace_id)s] %(message)s").format(records[0])
    assert text == "shop [] start"


def test_the_server_s_traceback_carries_the_trace_of_the_request_that_failed(
    observed: Observed, serve: Serve
) -> None:
    app = application()
    observed.instrument(app)
    url = serve(app)
    with kept("uvicorn.error") as records:
        assert httpx.get(url + "/fails").status_code == 500
        wait_until(lambda: [record for record in records if record.exc_info])
    (record,) = (record for record in records if record.exc_info)
    assert (record.trace_id, record.span_id) == ids(observed)


def test_a_record_s_own_trace_id_stays(observed: Observed, serve: Serve) -> None:
    app = application()
    observed.instrument(app)
    with kept() as records:
        assert httpx.get(serve(app) + "/extra").status_code == 200
    assert records[0].trace_id == "mine"
    assert records[0].span_id == ids(observed)[1]


def test_a_record_factory_of_the_user_s_stays_in_force(observed: Observed) -> None:
    before = logging.getLogRecordFactory()

    def factory(*args: Any, **kwargs: Any) -> logging.LogRecord:
        record = before(*args, **kwargs)
        record.tenant = "acme"
        return record

    observed.instrument(application(), service_name="shop")
    logging.setLogRecordFactory(factory)
    try:
        with kept() as records:
            logger.info("hello")
    finally:
        logging.setLogRecordFactory(before)
    assert (records[0].tenant, records[0].service_name) == ("acme", "shop")


def test_uninstrumenting_the_last_application_restores_the_loggers(observed: Observed) -> None:
    before = logging.Logger.makeRecord
    first = observed.instrument(application())
    second = Observed()
    with second.stack:
        second.instrument(application())
        first.uninstrument()
        with kept() as records:
            logger.info("still")
        assert hasattr(records[0], "trace_id")
    assert logging.Logger.makeRecord is before
    with kept() as records:
        logger.info("no more")
    assert not hasattr(records[0], "trace_id")


def test_it_can_be_switched_off(observed: Observed) -> None:
    observed.instrument(application(), log_context=False)
    with kept() as records:
        logger.info("plain")
    assert not hasattr(records[0], "trace_id")


def test_a_format_stays_whole_where_telemetry_is_disabled(observed: Observed) -> None:
    observed.instrument(application(), service_name="shop", disabled=True)
    with kept() as records:
        logger.info("plain")
    line = "[%(trace_id)s%(span_id)s%(trace_flags)s%(service_name)s] %(message)s"
    assert logging.Formatter(line).format(records[0]) == "[] plain"


@pytest.mark.parametrize("variable", ["", "OTEL_SDK_DISABLED", "INSTRUMENTATION_LOG_CONTEXT"])
def test_the_format_of_the_page_works_with_and_without_telemetry(variable: str) -> None:
    switched_off = {variable: str(variable == "OTEL_SDK_DISABLED").lower()} if variable else {}
    code = f"""
from fastapi import FastAPI
from instrumentation import instrument
instrument(FastAPI())
{page_s_code("logging.basicConfig")}
logging.getLogger("shop").warning("hello")
"""
    environ = {**os.environ, "OTEL_TRACES_EXPORTER": "none", **switched_off}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environ, capture_output=True, text=True, check=True
    )
    (line,) = done.stderr.splitlines()
    assert line.endswith(
        "WARNING shop [] hello"
        if variable != "INSTRUMENTATION_LOG_CONTEXT"
        else "WARNING shop [-] hello"
    )


def test_structlog_s_events_carry_the_same(observed: Observed, serve: Serve) -> None:
    app = FastAPI()
    log = structlog.wrap_logger(
        structlog.ReturnLogger(), [add_trace_context, structlog.processors.JSONRenderer()]
    )

    @app.get("/")
    async def endpoint() -> Any:
        return json.loads(log.info("placed", order=7))

    observed.instrument(app, service_name="shop")
    event = httpx.get(serve(app)).json()
    assert (event["trace_id"], event["span_id"]) == ids(observed)
    assert (event["event"], event["order"], event["service_name"]) == ("placed", 7, "shop")


def test_the_json_formatter_of_the_page_writes_one_object_a_line(
    observed: Observed, serve: Serve
) -> None:
    namespace: dict[str, Any] = {}
    exec(page_s_code("class JsonFormatter"), namespace)  # noqa: S102 - the page is ours
    app = application()
    observed.instrument(app, service_name="shop")
    with kept() as records:
        httpx.get(serve(app))
    line = namespace["JsonFormatter"]().format(records[0])
    told = json.loads(line)
    assert "\n" not in line
    assert (told["trace_id"], told["span_id"]) == ids(observed)
    assert (told["service.name"], told["body"], told["severity"]) == ("shop", "in the loop", "INFO")


def page_s_code(containing: str) -> str:
    blocks: list[str] = re.findall(r"```python\n(.*?)```", (DOCS / "logs.md").read_text(), re.S)
    (found,) = (block for block in blocks if containing in block)
    return found


def test_a_task_s_records_carry_the_trace_of_the_request_that_started_it(
    observed: Observed, serve: Serve
) -> None:
    app = FastAPI()
    running = set()

    async def later() -> None:
        await asyncio.sleep(0.02)
        logger.info("later")

    @app.get("/")
    async def endpoint() -> None:
        running.add(asyncio.create_task(later()))

    observed.instrument(app)
    with kept() as records:
        httpx.get(serve(app))
        wait_until(lambda: records)
    assert records[0].trace_id == ids(observed)[0]
