"""The Lambda example, invoked as Lambda does, sends before each invocation ends."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

import pytest

from stack.environment import REPOSITORY
from tests.truth.sink import sink

EVENT: dict[str, Any] = {
    "version": "2.0",
    "routeKey": "$default",
    "rawPath": "/items/7",
    "rawQueryString": "",
    "headers": {"host": "function.test"},
    "requestContext": {
        "http": {"method": "GET", "path": "/items/7", "sourceIp": "127.0.0.1"},
        "stage": "$default",
    },
    "isBase64Encoded": False,
}
PROGRAM = """
import json, sys
from handler import handler

class Context:
    def get_remaining_time_in_millis(self):
        return 30_000

for event in sys.stdin:
    print(json.dumps(handler(json.loads(event), Context())), flush=True)
"""


@pytest.mark.proves(
    "Processes", "OTEL_METRICS_EXPORTER=otlp pushes the registry, with exemplars and start times"
)
def test_everything_is_sent_before_the_invocation_ends() -> None:
    inherited = {k: v for k, v in os.environ.items() if not k.startswith(("OTEL_", "PROMETHEUS_"))}
    with sink() as collector:
        environment = {
            **inherited,
            "PYTHONPATH": str(REPOSITORY / "deploy" / "lambda"),
            "OTEL_SERVICE_NAME": "function",
            "OTEL_METRICS_EXPORTER": "otlp",
            "OTEL_EXPORTER_OTLP_ENDPOINT": collector.address,
            "INSTRUMENTATION_SHUTDOWN_SECONDS": "20",
        }
        with subprocess.Popen(
            [sys.executable, "-c", PROGRAM],
            cwd=REPOSITORY,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        ) as process:
            assert process.stdin is not None
            assert process.stdout is not None
            for count in (1, 2):
                process.stdin.write(json.dumps(EVENT) + "\n")
                process.stdin.flush()
                answer = json.loads(process.stdout.readline())
                assert (answer["statusCode"], answer["body"]) == (200, '{"item":7}')
                # It is all there when the answer is, although the process goes on.
                assert [span.name for span in collector.spans] == ["GET /items/{item}"] * count
                assert len(collector.metrics) == count
            process.stdin.close()
