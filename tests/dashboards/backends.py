"""A real Prometheus and a real Jaeger that hold the incident, with five weeks before it."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import httpx

from stack.history.blocks import Blocks
from stack.history.make import make
from tests.dashboards import made
from tests.stack.running import eventually, free_ports, started

TRACES: Final = 12


@dataclass(frozen=True)
class Backends:
    """Where they are, and the incident's range in Unix seconds."""

    prometheus: str
    jaeger: str
    start: int
    end: int


@contextmanager
def running(folder: Path) -> Iterator[Backends]:
    """Make the past and the incident, and run the two programs over them."""
    ports = free_ports()
    prometheus = f"http://127.0.0.1:{ports['PROMETHEUS_PORT']}"
    jaeger = f"http://127.0.0.1:{ports['JAEGER_QUERY_PORT']}"
    end = int(time.time()) // made.STEP_SECONDS * made.STEP_SECONDS
    backends = Backends(prometheus, jaeger, end - made.SECONDS, end)
    data = folder / "data" / "prometheus"
    targets = folder / "targets.json"
    targets.write_text(
        json.dumps(
            [
                {"targets": list(instances), "labels": {"job": job}}
                for job, instances in made.SERVICES.items()
            ]
        )
    )
    make(data, targets, "demo", backends.start)
    with Blocks(data) as blocks:
        for at, lines in made.moments(end):
            blocks.write(at, lines)
    with started(folder, ports, "--only", "prometheus,jaeger"):
        exemplify(backends)
        trace(f"http://127.0.0.1:{ports['JAEGER_OTLP_HTTP_PORT']}", backends)
        yield backends


def exemplify(backends: Backends) -> None:
    """Send one slow request of each route to Prometheus as the collector would."""
    points = [
        {
            "timeUnixNano": str(backends.end * 10**9),
            "startTimeUnixNano": str(backends.start * 10**9),
            "count": "1",
            "sum": 2.0,
            "explicitBounds": [0.5],
            "bucketCounts": ["0", "1"],
            "attributes": [{"key": "http.route", "value": {"stringValue": route}}],
            "exemplars": [
                {
                    "timeUnixNano": str((backends.end - 120) * 10**9),
                    "asDouble": 2.0,
                    "traceId": f"{nth + 1:032x}",
                    "spanId": f"{nth + 1:016x}",
                }
            ],
        }
        for nth, route in enumerate(made.ROUTES)
    ]
    histogram = {"aggregationTemporality": 2, "dataPoints": points}
    metric = {"name": "http.server.request.duration", "unit": "s", "histogram": histogram}
    identity = {"service.name": "orders", "service.instance.id": "exemplified"}
    attributes = [{"key": key, "value": {"stringValue": text}} for key, text in identity.items()]
    sent = {"resource": {"attributes": attributes}, "scopeMetrics": [{"metrics": [metric]}]}
    httpx.post(
        f"{backends.prometheus}/api/v1/otlp/v1/metrics",
        json={"resourceMetrics": [sent]},
        trust_env=False,
    ).raise_for_status()


def trace(otlp: str, backends: Backends) -> None:
    """Send requests of both services to Jaeger, the slowest and a failed one among them."""
    with httpx.Client(trust_env=False) as client:
        for service in made.SERVICES:
            spans = [span(service, nth, backends.end - 60 - nth) for nth in range(TRACES)]
            name = {"key": "service.name", "value": {"stringValue": service}}
            sent = {"resource": {"attributes": [name]}, "scopeSpans": [{"spans": spans}]}
            client.post(f"{otlp}/v1/traces", json={"resourceSpans": [sent]}).raise_for_status()
        eventually(
            lambda: (
                set(made.SERVICES)
                <= set(client.get(f"{backends.jaeger}/api/v3/services").json().get("services", []))
            )
        )


def span(service: str, nth: int, at: int) -> dict[str, Any]:
    route = made.ROUTES[nth % len(made.ROUTES)]
    return {
        "traceId": f"{service.encode().hex()[:16]:0>24}{nth:08x}",
        "spanId": f"{nth + 1:016x}",
        "name": f"GET {route}",
        "kind": 2,
        "startTimeUnixNano": str(at * 10**9),
        "endTimeUnixNano": str(at * 10**9 + (nth + 1) * 230_000_000),
        "status": {"code": 2 if nth % 4 == 3 else 0},
    }
