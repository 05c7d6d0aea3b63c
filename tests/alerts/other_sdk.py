"""A service measured by OpenTelemetry's own instrumentation: prints what it would export.

Run as a program, because the instrumentation reads its variables once, at import.
"""

from __future__ import annotations

import json
import os

os.environ["OTEL_SEMCONV_STABILITY_OPT_IN"] = "http"

from fastapi import FastAPI, HTTPException
from fastapi.testclient import TestClient
from opentelemetry.instrumentation.fastapi import FastAPIInstrumentor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import Histogram, InMemoryMetricReader


def main() -> None:
    """Answer two requests, and print the histogram's name, unit, bounds and attributes."""
    reader = InMemoryMetricReader()
    app = FastAPI()
    FastAPIInstrumentor.instrument_app(app, meter_provider=MeterProvider([reader]))

    @app.get("/orders/{order_id}")
    def order(order_id: int) -> int:
        if order_id == 0:
            raise HTTPException(503)
        return order_id

    client = TestClient(app)
    for order_id in (0, 1):
        client.get(f"/orders/{order_id}")
    data = reader.get_metrics_data()
    assert data is not None
    for resource in data.resource_metrics:
        for scope in resource.scope_metrics:
            for metric in scope.metrics:
                if metric.name == "http.server.request.duration":
                    assert isinstance(metric.data, Histogram)
                    points = metric.data.data_points
                    said = {
                        "unit": metric.unit,
                        "bounds": list(points[0].explicit_bounds),
                        "attributes": [dict(point.attributes or {}) for point in points],
                    }
                    print(json.dumps(said))  # noqa: T201


if __name__ == "__main__":
    main()
