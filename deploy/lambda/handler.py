"""An instrumented FastAPI application on AWS Lambda: the handler is `handler.handler`.

Needs `mangum` beside the library, and these variables: OTEL_METRICS_EXPORTER=otlp, because nobody
can scrape a function, OTEL_EXPORTER_OTLP_ENDPOINT and OTEL_SERVICE_NAME.
"""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from mangum import Mangum

from instrumentation import instrument

app = FastAPI()
telemetry = instrument(app)


@app.get("/items/{item}")
async def read_item(item: int) -> dict[str, int]:
    """Answer with the item; your routes stand here."""
    return {"item": item}


# A function has no end that it would be told of: nothing starts or stops with the lifespan.
_answer = Mangum(app, lifespan="off")


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Answer one invocation, and send what it left: afterwards the process is frozen."""
    try:
        return _answer(event, context)
    finally:
        telemetry.flush(_seconds_left(context))


def _seconds_left(context: Any) -> float:
    """At most the usual bound, and half a second less than Lambda gives."""
    left = context.get_remaining_time_in_millis() / 1000 - 0.5
    return max(0.0, min(left, telemetry.settings.shutdown_seconds))
