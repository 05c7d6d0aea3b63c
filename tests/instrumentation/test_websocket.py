"""A connection is one span, and its messages are counted."""

from __future__ import annotations

from fastapi import FastAPI, WebSocket
from starlette.testclient import TestClient

from tests.instrumentation.conftest import Observed


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
