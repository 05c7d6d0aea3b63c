"""What nobody asked for, and what is a secret, leaves the process in no span."""

from __future__ import annotations

import time

import httpx
import pytest
from fastapi import FastAPI, Response, WebSocket
from opentelemetry.trace import SpanKind
from sqlalchemy import StaticPool, create_engine, text
from starlette.testclient import TestClient

from instrumentation import Settings, redaction
from instrumentation.database.sql import describe
from instrumentation.http.capture import Capture
from tests.instrumentation.conftest import Observed, Serve

SECRETS = (
    "authorization",
    "proxy-authorization",
    "cookie",
    "set-cookie",
    "x-api-key",
    "apikey",
    "x-auth-token",
    "x-amz-security-token",
    "x-csrf-token",
    "x-client-secret",
    "x-session-id",
    "x-goog-iap-jwt-assertion",
    "ocp-apim-subscription-key",
)


@pytest.fixture
def app() -> FastAPI:
    app = FastAPI()

    @app.get("/")
    def endpoint(response: Response) -> None:
        response.headers["x-answer"] = "42"
        response.set_cookie("session", "sesame")

    @app.get("/raises")
    def raises() -> None:
        try:
            raise KeyError("sesame inside")
        except KeyError as error:
            raise ZeroDivisionError("sesame outside") from error

    return app


def attributes(observed: Observed) -> dict[str, object]:
    return dict(observed.span().attributes or {})


@pytest.mark.proves("Requests: redaction", "query strings are not recorded unless asked")
def test_no_query_is_recorded_by_default(app: FastAPI, observed: Observed, serve: Serve) -> None:
    elsewhere = serve(FastAPI())

    @app.get("/call")
    def call() -> None:
        httpx.get(f"{elsewhere}/?token=sesame")

    observed.instrument(app)
    httpx.get(f"{serve(app)}/call?token=sesame")
    for span in observed.exporter.get_finished_spans():
        assert "sesame" not in span.to_json()
        assert "url.query" not in (span.attributes or {})


@pytest.mark.proves(
    "Requests: redaction", "recorded query values are redacted but for an allow list"
)
def test_recorded_values_are_hidden_but_for_the_allowed(app: FastAPI, observed: Observed) -> None:
    observed.instrument(app, record_query=True, query_allowed=("page", "größe"))
    TestClient(app).get("/?page=2&token=sesame&page=3&gr%C3%B6%C3%9Fe=4&Page=sesame")
    assert attributes(observed)["url.query"] == (
        "page=2&token=REDACTED&page=3&gr%C3%B6%C3%9Fe=4&Page=REDACTED"
    )


@pytest.mark.proves(
    "Requests: redaction", "recorded query values are redacted but for an allow list"
)
def test_an_outbound_query_is_redacted_too(app: FastAPI, observed: Observed, serve: Serve) -> None:
    elsewhere = serve(FastAPI())
    observed.instrument(app, record_query=True, query_allowed=("page",))
    httpx.get(f"{elsewhere}/x?page=2&token=sesame")
    url = dict(observed.span(SpanKind.CLIENT).attributes or {})["url.full"]
    assert url == f"{elsewhere}/x?page=2&token=REDACTED"


def test_a_websockets_query_is_redacted_too(app: FastAPI, observed: Observed) -> None:
    @app.websocket("/ws")
    async def talk(socket: WebSocket) -> None:
        await socket.accept()
        await socket.close()

    observed.instrument(app, record_query=True)
    with TestClient(app).websocket_connect("/ws?token=sesame"):
        pass
    assert attributes(observed)["url.query"] == "token=REDACTED"


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ("", ""),
        ("a=1", "a=REDACTED"),
        ("a=", "a=REDACTED"),
        ("sesame", "REDACTED"),
        ("a=b=sesame", "a=REDACTED"),
        ("ok=1;token=sesame", "ok=1;token=REDACTED"),
        ("ok=1&&x=2", "ok=1&&x=REDACTED"),
        ("user@sesame.test=1", "REDACTED"),
        ("filter[name]=x", "filter[name]=REDACTED"),
        ("%74oken=sesame", "token=REDACTED"),
        ("o%6B=1", "o%6B=1"),
        ("=sesame", "REDACTED"),
    ],
)
def test_a_query_shows_names_and_no_values(query: str, told: str) -> None:
    assert redaction.query(query, ("ok",)) == told


@pytest.mark.proves("Requests: redaction", "captured headers are opt-in")
def test_headers_are_recorded_only_where_asked(app: FastAPI, observed: Observed) -> None:
    observed.instrument(
        app, request_headers=("X-Tenant", "x-part-.*"), response_headers=("x-ans.*",)
    )
    headers = [("x-tenant", "acme"), ("x-part-1", "a"), ("x-part-1", "b"), ("x-other", "sesame")]
    TestClient(app).get("/", headers=headers)
    assert {n: v for n, v in attributes(observed).items() if ".header." in n} == {
        "http.request.header.x-tenant": ("acme",),
        "http.request.header.x-part-1": ("a", "b"),
        "http.response.header.x-answer": ("42",),
    }


def test_what_is_off_costs_a_request_nothing() -> None:
    assert Capture.of(Settings()) is None
    assert Capture.of(Settings(record_query=True)) is not None


@pytest.mark.proves("Requests: redaction", "captured headers are opt-in")
def test_no_header_is_recorded_by_default(app: FastAPI, observed: Observed) -> None:
    observed.instrument(app)
    TestClient(app).get("/", headers={"x-tenant": "sesame"})
    assert [name for name in attributes(observed) if ".header." in name] == []


@pytest.mark.proves(
    "Requests: redaction", "authorization, cookie, set-cookie and the like are always redacted"
)
@pytest.mark.parametrize("name", SECRETS)
def test_a_secret_is_redacted_whoever_asks(app: FastAPI, observed: Observed, name: str) -> None:
    observed.instrument(app, request_headers=(".*",), response_headers=(".*",))
    TestClient(app).get("/", headers={name.title(): "sesame"})
    assert "sesame" not in observed.span().to_json()
    assert attributes(observed)[f"http.request.header.{name}"] == ("REDACTED",)
    assert attributes(observed)["http.response.header.set-cookie"] == ("REDACTED",)


def test_further_headers_are_sanitized(app: FastAPI, observed: Observed) -> None:
    observed.instrument(app, request_headers=("x-.*",), sanitized_headers=("^X-Tenant$",))
    TestClient(app).get("/", headers={"x-tenant": "sesame", "x-tenants": "many"})
    assert attributes(observed)["http.request.header.x-tenant"] == ("REDACTED",)
    assert attributes(observed)["http.request.header.x-tenants"] == ("many",)


@pytest.mark.parametrize(
    ("value", "plain", "asked"),
    [
        ("text/html;q=0.8", "text/html;q=0.8", "text/html;q=0.8"),
        ("?1", "?1", "?1"),
        ("/next?token=sesame", "/next", "/next?token=REDACTED"),
        ("https://me:sesame@a.test/x?ok=1#token=sesame", "https://a.test/x", "https://a.test/x?ok=1"),
        ("<https://a.test/?t=sesame>; rel=next", "<https://a.test/>; rel=next",
         "<https://a.test/?t=REDACTED>; rel=next"),
    ],
)  # fmt: skip
def test_a_url_in_a_header_gives_no_more_away(value: str, plain: str, asked: str) -> None:
    assert redaction.header(value, None) == plain
    assert redaction.header(value, ("ok",)) == asked


@pytest.mark.proves("Requests: redaction", "SQL text has neither parameter values nor literals")
@pytest.mark.parametrize(
    "statement",
    [
        "SELECT :value",
        "SELECT 'sesame' || :value -- sesame",
        "SELECT /* sesame */ 'it''s sesame', 4711, :value",
        "SELECT nothing FROM missing WHERE a = 'sesame' AND b = :value",
    ],
)
def test_no_value_of_a_statement_is_told(app: FastAPI, observed: Observed, statement: str) -> None:
    engine = create_engine("sqlite://", poolclass=StaticPool)
    parameters = {"value": "sesame"}

    @app.get("/query")
    def query() -> None:
        with engine.connect() as connection:
            connection.execute(text(statement), parameters)

    observed.instrument(app)
    TestClient(app, raise_server_exceptions=False).get("/query")
    told = observed.span(SpanKind.CLIENT).attributes or {}
    assert str(told["db.query.text"]).startswith("SELECT")
    for span in observed.exporter.get_finished_spans():
        assert "sesame" not in span.to_json()
        assert "4711" not in span.to_json()


@pytest.mark.proves("Requests: redaction", "an exception's message can be left out by a setting")
def test_an_exceptions_message_can_be_left_out(app: FastAPI, observed: Observed) -> None:
    observed.instrument(app, exception_messages=False)
    TestClient(app, raise_server_exceptions=False).get("/raises")
    (event,) = observed.span().events
    told = dict(event.attributes or {})
    assert told["exception.type"] == "ZeroDivisionError"
    assert "exception.message" not in told
    stack = str(told["exception.stacktrace"])
    assert "in raises" in stack
    assert "KeyError\n" in stack
    assert "sesame" not in stack.replace('"sesame inside"', "").replace('"sesame outside"', "")


@pytest.mark.proves("Requests: redaction", "an exception's message can be left out by a setting")
def test_an_outbound_exceptions_message_can_be_left_out(app: FastAPI, observed: Observed) -> None:
    observed.instrument(app, exception_messages=False)
    with pytest.raises(httpx.ConnectError):
        httpx.get("http://127.0.0.1:9/")
    span = observed.span(SpanKind.CLIENT)
    (event,) = span.events
    assert span.status.description is None
    assert "exception.message" not in (event.attributes or {})
    assert (span.attributes or {})["error.type"] == "httpx.ConnectError"


@pytest.mark.parametrize(
    "text",
    [
        " " * 20_000 + "x",
        "\n" * 20_000 + "x",
        "'" + "\\'" * 20_000 + "\\",
        "a://b@" * 500_000,
        "[SQL " * 500_000,
    ],
    ids=["spaces", "line breaks", "quotes", "users", "statements"],
)
def test_a_text_of_any_size_is_redacted_at_once(text: str) -> None:
    error = ValueError(text)
    began = time.thread_time()
    redaction.message(error)
    redaction.driver_message(error)
    redaction.header(f"/{text}", ("a",))
    redaction.query(text, ("a",))
    describe(text, mysql=True)
    assert time.thread_time() - began < 0.1


AROUND_THE_CUT = range(redaction._MOST_READ - 30, redaction._MOST_READ)


@pytest.mark.parametrize("length", AROUND_THE_CUT)
def test_no_half_of_a_secret_is_left_where_a_long_text_is_cut(length: int) -> None:
    # What is in front is taken out, so that the place of the cut is told.
    url, quoted = f"a://b?{'x' * (length - 7)} ", f"'{'x' * (length - 3)}' "
    secret = "https://me:sesame@a.test/?token=sesame "
    for shown in (secret, "[SQL: SELECT 'sesame'] "):
        told = redaction.message(ValueError(url + shown + "y" * 100))
        assert told.startswith("a://b")
        assert "ses" not in told
    for value in (r"'\' sesame' ", "(name)=(sesame) ", "4711 "):
        told = redaction.driver_message(ValueError(quoted + value + "y" * 100))
        assert told.startswith("? ")
        assert "ses" not in told
        assert "47" not in told
    assert "ses" not in redaction.header(url + secret, None)
    assert "ses" not in redaction.query("a=" + "x" * length + "&token=sesame&ok=1", ("ok",))


def test_the_end_of_a_text_that_is_not_cut_stays() -> None:
    assert redaction.message(ValueError("no answer from https://a.test")) == (
        "no answer from https://a.test"
    )


def test_a_literal_that_ends_behind_a_backslash_is_masked() -> None:
    cut = describe("SELECT 'it\\'s sesame\\", mysql=True)
    assert cut.text == "SELECT ?"
    assert redaction.driver_message(ValueError("bad value 'sesame\\")) == "bad value ?"
