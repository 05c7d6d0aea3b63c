"""The control endpoint: reads and changes the factor on the load."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from flask import Flask, Response, jsonify, request
from gevent.pywsgi import WSGIServer

if TYPE_CHECKING:
    from demo_service.load.pace import DailyShape

_LARGEST = 5.0


def control_server(shape: DailyShape, host: str, port: int) -> WSGIServer:
    """Return a server for `GET /factor` and `PUT /factor`, not started yet."""
    app = Flask("load")

    @app.get("/factor")
    def read() -> Response:
        return jsonify(factor=shape.factor, rate=round(shape.rate, 3))

    @app.put("/factor")
    def change() -> Response | tuple[Response, int]:
        body = request.get_json(silent=True)
        factor = body.get("factor") if isinstance(body, dict) else None
        # JSON's true is a number to Python.
        if isinstance(factor, bool) or not isinstance(factor, (int, float)):
            factor = -1
        if not 0 <= factor <= _LARGEST:
            return jsonify(detail=f"factor must be a number from 0 to {_LARGEST:g}"), 422
        shape.factor = float(factor)
        return read()

    return WSGIServer((host, port), app, log=None, error_log=logging.getLogger("load.control"))
