"""What the text of an exception gives away, and what it doesn't."""

from __future__ import annotations

import asyncio

import httpx
import pytest
from fastapi import FastAPI, Request, Response
from sqlalchemy.exc import StatementError
from starlette.middleware.base import BaseHTTPMiddleware, RequestResponseEndpoint
from starlette.testclient import TestClient

from instrumentation.redaction import driver_message, message
from tests.instrumentation.conftest import Observed


@pytest.fixture
def app() -> FastAPI:
    return FastAPI()


def test_a_url_in_an_exceptions_text_loses_its_query(app: FastAPI, observed: Observed) -> None:
    @app.get("/call")
    async def call() -> None:
        request = httpx.Request("GET", "http://user:sesame@elsewhere/path?token=sesame")
        httpx.Response(404, request=request).raise_for_status()

    observed.instrument(app)
    TestClient(app, raise_server_exceptions=False).get("/call")
    (event,) = observed.span().events
    assert "'http://elsewhere/path'" in str((event.attributes or {})["exception.message"])
    assert "sesame@" not in observed.span().to_json()
    assert "token" not in str((event.attributes or {})["exception.message"])


@pytest.mark.parametrize("text", [RuntimeError("no text"), "\ud800"])
def test_an_exception_without_a_proper_text_is_told_all_the_same(
    app: FastAPI, observed: Observed, text: str | Exception
) -> None:
    class OddError(Exception):
        def __str__(self) -> str:
            if isinstance(text, Exception):
                raise text
            return text

    @app.get("/odd")
    async def odd() -> None:
        raise OddError

    observed.instrument(app)
    TestClient(app, raise_server_exceptions=False).get("/odd")
    (event,) = observed.span().events
    for value in (event.attributes or {}).values():
        assert str(value).encode()


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (
            Exception('violates constraint "u_key"\nDETAIL: Key (n)=(sesame) exists.'),
            'violates constraint "u_key"',
        ),
        (
            Exception('invalid input syntax for type integer: "ses\name"'),
            "invalid input syntax for type integer: ?",
        ),
        (
            Exception("invalid input for query argument $1: 'ses'"),
            "invalid input for query argument $1: ?",
        ),
        (
            Exception(1062, "Duplicate entry 'sesame' for key 'u.n'"),
            "1062: Duplicate entry ? for key ?",
        ),
        (Exception("The duplicate key value is (sesame)."), "The duplicate key value is ?"),
        (Exception('relation "orders" does not exist'), 'relation "orders" does not exist'),
    ],
)
def test_a_drivers_message_shows_no_value(error: Exception, told: str) -> None:
    assert driver_message(error) == told


def test_a_text_that_quotes_an_sqlalchemy_error_loses_statement_and_parameters() -> None:
    error = StatementError("it failed", "SELECT :x", {"x": "sesame"}, ValueError("bad"))
    assert message(RuntimeError(f"no luck: {error}")) == "no luck: it failed"


def test_a_member_that_was_raised_because_of_its_own_group_is_told_once(
    app: FastAPI, observed: Observed
) -> None:
    """As Starlette leaves it, which takes the one error out of a group and raises that."""

    @app.get("/group")
    async def group() -> None:
        member = ZeroDivisionError("the culprit")
        try:
            raise ExceptionGroup("one of them", [member])
        except ExceptionGroup:
            raise member  # noqa: B904 - its context is what this is about

    observed.instrument(app)
    TestClient(app, raise_server_exceptions=False).get("/group")
    assert observed.value("instrumentation_internal_errors_total", part="http") is None
    (event,) = observed.span().events
    stack = str((event.attributes or {})["exception.stacktrace"])
    assert stack.count("ZeroDivisionError: the culprit") == 1
    assert stack.count("ExceptionGroup: one of them") == 1


def test_a_group_of_exceptions_names_its_members(app: FastAPI, observed: Observed) -> None:
    async def fail() -> None:
        raise ZeroDivisionError("the culprit")

    @app.get("/group")
    async def group() -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(fail())

    observed.instrument(app)
    TestClient(app, raise_server_exceptions=False).get("/group")
    (event,) = observed.span().events
    stack = str((event.attributes or {})["exception.stacktrace"])
    assert "in fail" in stack
    assert "ZeroDivisionError: the culprit" in stack


async def passes_on(request: Request, call_next: RequestResponseEndpoint) -> Response:
    return await call_next(request)


@pytest.mark.proves("Requests: status and duration", "exceptions with a handler and without")
@pytest.mark.parametrize("middlewares", [0, 1, 2])
@pytest.mark.parametrize("path", ["/fails", "/mounted/fails"])
def test_the_exception_that_a_handler_answers_for_is_told_behind_middlewares_too(
    app: FastAPI, observed: Observed, middlewares: int, path: str
) -> None:
    def fails() -> None:
        raise LookupError

    def handler(request: Request, error: Exception) -> Response:
        return Response(status_code=503)

    mounted = FastAPI()
    for each in (app, mounted):
        each.get("/fails")(fails)
        each.add_exception_handler(LookupError, handler)
    app.mount("/mounted", mounted)
    for _ in range(middlewares):
        app.add_middleware(BaseHTTPMiddleware, dispatch=passes_on)
    observed.instrument(app)
    assert TestClient(app).get(path).status_code == 503
    assert observed.counts() == {("GET", path, "503", "LookupError"): 1}
    assert [event.name for event in observed.span().events] == ["exception"]


def test_an_answer_that_a_middleware_replaces_is_no_error(app: FastAPI, observed: Observed) -> None:
    async def replaces(request: Request, call_next: RequestResponseEndpoint) -> Response:
        await call_next(request)
        return Response(status_code=202)

    @app.get("/")
    def fails() -> None:
        raise LookupError

    app.add_exception_handler(LookupError, lambda request, error: Response(status_code=503))
    app.add_middleware(BaseHTTPMiddleware, dispatch=replaces)
    observed.instrument(app)
    assert TestClient(app).get("/").status_code == 202
    assert observed.counts() == {("GET", "/", "202", ""): 1}
    assert observed.span().events == ()
