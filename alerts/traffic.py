"""Traffic: users who usually come don't, or come and are not let in."""

from __future__ import annotations

from typing import Final

from alerts.model import Alert, Group, Record, Scale
from instrumentation.contract import queries, slo
from instrumentation.contract.recorded import (
    REQUESTS_30M,
    REQUESTS_30M_USUAL,
    REQUESTS_NOW,
    SERVICE,
)

DROP: Final = "TrafficDrop"
GONE: Final = "TrafficGone"


def groups(scale: Scale) -> tuple[Group, ...]:
    """Record requests, now and usually, and alert where they are missing."""
    window, settle = scale(slo.TRAFFIC_WINDOW_SECONDS), scale(slo.SETTLE_SECONDS)
    memory = scale(slo.TRAFFIC_MEMORY_SECONDS)
    rules = (
        Record(
            REQUESTS_NOW.at(SERVICE),
            queries.requests_now(scale(slo.TRAFFIC_SAMPLE_SECONDS), memory, settle),
        ),
        Record(REQUESTS_30M_USUAL.at(SERVICE), queries.usual_requests()),
        Record(REQUESTS_30M.at(SERVICE), queries.requests_lately(window, settle)),
        Alert(
            name=DROP,
            expression=queries.traffic_drop(window),
            wait=scale(slo.TRAFFIC_FOR_SECONDS),
            severity="critical",
            level=SERVICE,
            summary="{{ $labels.job }} gets fewer requests than usual",
            description="{{ $value | humanizePercentage }} of the requests are missing, compared "
            "with the median of the same 30 minutes of the last three weeks.",
        ),
        Alert(
            name=GONE,
            expression=queries.traffic_gone(
                scale(slo.GONE_WINDOW_SECONDS), memory, scale(slo.GONE_AROUND_SECONDS)
            ),
            wait=scale(slo.GONE_FOR_SECONDS),
            severity="critical",
            level=SERVICE,
            summary="{{ $labels.job }} gets no requests any more",
            description="No request for 5 minutes, at a time when some are expected: within the "
            "past hour there were {{ $value | humanize }} in each 5 minutes.",
        ),
    )
    return (Group("traffic", scale(slo.EVALUATION_INTERVAL_SECONDS), rules),)
