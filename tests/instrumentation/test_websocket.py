"""A connection is one span, and its messages are counted."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi import APIRouter, Depends, FastAPI, Response, WebSocket, WebSocketException
from opentelemetry.trace import StatusCode
from starlette.applications import Starlette
from starlette.routing import Mount, WebSocketRoute
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from tests.instrumentation.conftest import Observed, wait_until
from tests.instrumentation.servers import SERVERS

DURATION = "websocket_connection_duration_seconds_count"


async def echo(socket: WebSocket) -> None:
    await socket.accept()
    while True:
        await socket.send_text(await socket.receive_text())


async def closes(socket: WebSocket) -> None:
    await socket.accept()
    await socket.close(4321)


async def fails(socket: WebSocket) -> None:
    await socket.accept()
    raise ZeroDivisionError


async def returns(socket: WebSocket) -> None:
    await socket.accept()


async def refuses(socket: WebSocket) -> None:
    await socket.close()


async def refuses_in_full(socket: WebSocket) -> None:
    await socket.send_denial_response(Response(status_code=401, headers={"x-why": "no"}))


async def fails_before(socket: WebSocket) -> None:
    raise ZeroDivisionError


async def unwilling() -> None:
    raise WebSocketException(1008)


def service() -> FastAPI:
    app, inner = FastAPI(), FastAPI()
    router = APIRouter(prefix="/rooms")
    router.websocket("/{room}")(echo)
    app.include_router(router)
    for endpoint in (closes, fails, returns, refuses, refuses_in_full, fails_before):
        app.websocket(f"/{endpoint.__name__}")(endpoint)
    app.websocket("/guarded", dependencies=[Depends(unwilling)])(echo)
    inner.websocket("/{room}")(echo)
    app.mount("/sub/{tenant}", inner)
    app.mount("/plain", Starlette(routes=[Mount("/in", routes=[WebSocketRoute("/{x}", echo)])]))
    return app


@pytest.fixture(params=SERVERS)
def server(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def base(server: str, observed: Observed) -> Iterator[str]:
    app = service()
    observed.instrument(app, response_headers=("x-why",))
    with SERVERS[server](app) as address:
        yield address.replace("http://", "ws://")


def attributes(observed: Observed) -> dict[str, Any]:
    return dict(observed.span().attributes or {})


@pytest.mark.proves("Requests: WebSocket", "one span a connection, none a message")
@pytest.mark.proves("Requests: WebSocket", "duration, close code and message counts")
@pytest.mark.proves("Requests: route", "websockets")
def test_a_connection_is_one_span_with_its_messages_counted(
    base: str, observed: Observed, server: str
) -> None:
    # Hypercorn tells the application nothing of the client's code.
    code = 1006 if server == "hypercorn" else 1001
    with connect(f"{base}/rooms/7?token=sesame", proxy=None) as client:
        for _ in range(3):
            client.send("hello")
            client.recv()
        assert observed.spans() == []
        client.close(1001)
    wait_until(observed.spans)
    assert len(observed.exporter.get_finished_spans()) == 1
    span, labels = observed.span(), {"http_route": "/rooms/{room}"}
    assert span.name == "GET /rooms/{room}"
    assert span.status.status_code is StatusCode.UNSET
    told = attributes(observed)
    assert told["http.response.status_code"] == 101
    assert told["websocket.close_code"] == code
    assert told["websocket.messages.received"] == told["websocket.messages.sent"] == 3
    assert told["url.scheme"] == "ws"
    assert "sesame" not in span.to_json()
    assert observed.value("websocket_messages_total", direction="sent", **labels) == 3
    assert observed.value("websocket_messages_total", direction="received", **labels) == 3
    assert observed.value(DURATION, close_code=str(code), **labels) == 1


@pytest.mark.parametrize(
    ("path", "route"),
    [
        ("/sub/acme/7", "/sub/{tenant}/{room}"),
        ("/plain/in/7", "/plain/in/{x}"),
    ],
)
@pytest.mark.proves("Requests: route", "websockets")
def test_the_route_is_the_full_template(
    base: str, observed: Observed, path: str, route: str
) -> None:
    with connect(base + path, proxy=None):
        pass
    wait_until(observed.spans)
    assert observed.span().name == f"GET {route}"
    assert observed.value(DURATION, http_route=route) == 1


@pytest.mark.proves("Requests: WebSocket", "duration, close code and message counts")
def test_the_applications_own_code_is_told_by_its_range(base: str, observed: Observed) -> None:
    with connect(f"{base}/closes", proxy=None) as client, pytest.raises(Exception, match="4321"):
        client.recv()
    wait_until(observed.spans)
    assert attributes(observed)["websocket.close_code"] == 4321
    assert observed.value(DURATION, http_route="/closes", close_code="4xxx") == 1


@pytest.mark.proves("Requests: WebSocket", "duration, close code and message counts")
def test_an_error_ends_the_connection_without_a_code(base: str, observed: Observed) -> None:
    with connect(f"{base}/fails", proxy=None) as client, pytest.raises(Exception, match=r".*"):
        client.recv()
    wait_until(observed.spans)
    span = observed.span()
    assert span.status.status_code is StatusCode.ERROR
    assert [event.name for event in span.events] == ["exception"]
    assert attributes(observed)["error.type"] == "ZeroDivisionError"
    assert observed.value(DURATION, http_route="/fails", close_code="1006") == 1


@pytest.mark.proves("Requests: WebSocket", "duration, close code and message counts")
@pytest.mark.parametrize("path", ["/returns", "/fails"])
def test_an_endpoint_that_ends_without_closing_has_the_code_that_uvicorn_s_client_sees(
    base: str, observed: Observed, server: str, path: str
) -> None:
    with (
        connect(base + path, proxy=None) as client,
        pytest.raises(ConnectionClosed) as closed,
    ):
        client.recv()
    seen = 1006 if closed.value.rcvd is None else closed.value.rcvd.code
    # The others close in the application's place, and tell it nothing of that.
    assert seen == {"uvicorn": 1006, "hypercorn": 1011, "granian": 1005}[server]
    wait_until(observed.spans)
    assert attributes(observed)["websocket.close_code"] == 1006
    assert observed.value(DURATION, http_route=path, close_code="1006") == 1


@pytest.mark.parametrize(
    ("path", "route", "status", "error_type"),
    [
        ("/refuses", "/refuses", 403, None),
        ("/guarded", "/guarded", 403, None),
        ("/made/up", None, 403, None),
        ("/refuses_in_full", "/refuses_in_full", 401, None),
        ("/fails_before", "/fails_before", 500, "ZeroDivisionError"),
    ],
)
def test_a_refused_handshake_is_a_request_with_a_status(
    base: str,
    observed: Observed,
    server: str,
    path: str,
    route: str | None,
    status: int,
    error_type: str | None,
) -> None:
    with pytest.raises(InvalidStatus) as refused, connect(base + path, proxy=None):
        pass
    wait_until(observed.spans)
    told = attributes(observed)
    assert told["http.response.status_code"] == status
    if (server, path) != ("granian", "/fails_before"):  # granian answers 403 for an error too
        assert refused.value.response.status_code == status
    assert told.get("http.route") == route
    assert told.get("error.type") == error_type
    assert "websocket.close_code" not in told
    assert told.get("http.response.header.x-why") == (("no",) if status == 401 else None)
    labels = {"http_route": route or "unmatched", "close_code": "rejected"}
    assert observed.value(DURATION, **labels) == 1


def test_what_comes_after_the_end_is_not_the_connections_time(observed: Observed) -> None:
    app, released = FastAPI(), threading.Event()

    @app.websocket("/")
    async def lingers(socket: WebSocket) -> None:
        await socket.accept()
        await socket.close()
        app.state.closed = time.time_ns()
        await asyncio.to_thread(released.wait, 10)

    observed.instrument(app)
    with TestClient(app).websocket_connect("/") as client:
        with pytest.raises(WebSocketDisconnect):
            client.receive_text()
        released.set()
    wait_until(observed.spans)
    closed = app.state.closed
    seconds = observed.value("websocket_connection_duration_seconds_sum", http_route="/")
    assert seconds is not None
    assert (observed.span().end_time or 0) <= closed


def test_a_client_that_leaves_is_no_error(observed: Observed) -> None:
    app = FastAPI()
    app.websocket("/ws")(echo)
    observed.instrument(app)
    with (
        pytest.raises(WebSocketDisconnect),
        TestClient(app).websocket_connect("/ws") as client,
    ):
        client.close(1001)
    assert observed.span().status.status_code is StatusCode.UNSET
    assert attributes(observed)["websocket.close_code"] == 1001
