"""A connection is one span, and its messages are counted."""

from __future__ import annotations

import pytest
from fastapi import FastAPI, WebSocket, WebSocketDisconnect
from opentelemetry.trace import StatusCode
from starlette.testclient import TestClient

from tests.instrumentation.conftest import Observed


@pytest.mark.proves("Requests: route", "websockets")
@pytest.mark.proves("Requests: WebSocket", "one span a connection, none a message")
@pytest.mark.proves("Requests: WebSocket", "duration, close code and message counts")
def test_a_websocket_is_one_span_with_its_messages_counted(observed: Observed) -> None:
    app = FastAPI()

    @app.websocket("/ws/{room}")
    async def talk(socket: WebSocket) -> None:
        await socket.accept()
        for _ in range(2):
            await socket.send_text(await socket.receive_text())
        await socket.close(1001)

    observed.instrument(app)
    with TestClient(app).websocket_connect("/ws/7") as client:
        for _ in range(2):
            client.send_text("hello")
            client.receive_text()
    assert observed.span().name == "GET /ws/{room}"
    labels = {"http_route": "/ws/{room}"}
    assert observed.value("websocket_messages_total", direction="sent", **labels) == 2
    assert observed.value("websocket_messages_total", direction="received", **labels) == 2
    assert (
        observed.value("websocket_connection_duration_seconds_count", close_code="1001", **labels)
        == 1
    )


def test_a_client_that_leaves_is_no_error(observed: Observed) -> None:
    app = FastAPI()

    @app.websocket("/ws")
    async def listen(socket: WebSocket) -> None:
        await socket.accept()
        while True:
            await socket.receive_text()

    observed.instrument(app)
    with (
        pytest.raises(WebSocketDisconnect),
        TestClient(app).websocket_connect("/ws") as client,
    ):
        client.close(1001)
    assert observed.span().status.status_code is StatusCode.UNSET
    assert (observed.span().attributes or {})["websocket.close_code"] == 1001
