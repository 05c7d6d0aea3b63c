"""The three symptoms without their guards, as information.

They show what the guards are for: each is compared with its guarded rule when one looks back.
"""

from __future__ import annotations

from alerts.model import Alert, Group, Scale
from instrumentation.contract import queries, slo
from instrumentation.contract.recorded import SERVICE


def groups(scale: Scale) -> tuple[Group, ...]:
    """Alert on each formula alone, for as long as the guarded rule waits."""
    rules = (
        Alert(
            name="NaiveTailLatency",
            expression=queries.naive_tail(SERVICE),
            wait=scale(slo.TAIL_FOR_SECONDS),
            severity="info",
            level=SERVICE,
            summary="p99 of {{ $labels.job }} is above three times its p50",
            description="p99 is {{ $value | humanize }} times p50 over 10 minutes. No guard "
            "looked at it: the requests may be few, all fast, or this may be usual.",
        ),
        Alert(
            name="NaiveErrorRatio",
            expression=queries.naive_errors(SERVICE),
            wait=scale(slo.ERROR_FOR_SECONDS),
            severity="info",
            level=SERVICE,
            summary="More than 1 % of the requests to {{ $labels.job }} failed",
            description="{{ $value | humanizePercentage }} failed with a 5xx over 5 minutes. No "
            "guard looked at it: that may be one request.",
        ),
        Alert(
            name="NaiveTrafficDrop",
            expression=queries.naive_traffic_drop(SERVICE),
            wait=scale(slo.TRAFFIC_FOR_SECONDS),
            severity="info",
            level=SERVICE,
            summary="{{ $labels.job }} gets fewer requests than a week ago",
            description="{{ $value | humanizePercentage }} of the requests are missing. No guard "
            "looked at it: they may be few, or last week may have been unusual.",
        ),
    )
    return (Group("naive", scale(slo.EVALUATION_INTERVAL_SECONDS), rules),)
