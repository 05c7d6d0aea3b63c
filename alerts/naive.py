"""The three symptoms without their guards, as information.

They show what the guards are for: each is compared with its guarded rule when one looks back.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from alerts import words
from alerts.model import Alert, Group
from instrumentation.contract import symptoms
from instrumentation.contract.recorded import SERVICE

if TYPE_CHECKING:
    from instrumentation.contract.slo import Numbers


def groups(numbers: Numbers) -> tuple[Group, ...]:
    """Alert on each formula alone, for as long as the guarded rule waits."""
    rules = (
        Alert(
            name="NaiveTailLatency",
            expression=symptoms.naive_tail(SERVICE, numbers),
            wait=numbers.tail.wait,
            severity="info",
            level=SERVICE,
            summary=f"p99 of {{{{ $labels.job }}}} is above {numbers.tail.ratio:g} times its p50",
            description="p99 is {{ $value | humanize }} times p50 over "
            f"{words.span(numbers.tail.window)}. No guard looked at it: the requests may be "
            "few, all fast, or this may be usual.",
        ),
        Alert(
            name="NaiveErrorRatio",
            expression=symptoms.naive_errors(SERVICE, numbers),
            wait=numbers.errors.wait,
            severity="info",
            level=SERVICE,
            summary=f"More than {words.percent(numbers.errors.ratio)} of the requests to "
            "{{ $labels.job }} failed",
            description="{{ $value | humanizePercentage }} failed with a 5xx over "
            f"{words.span(numbers.errors.window)}. No guard looked at it: that may be one request.",
        ),
        Alert(
            name="NaiveTrafficDrop",
            expression=symptoms.naive_traffic_drop(SERVICE, numbers),
            wait=numbers.traffic.wait,
            severity="info",
            level=SERVICE,
            summary="{{ $labels.job }} gets fewer requests than a week ago",
            description="{{ $value | humanizePercentage }} of the requests are missing. No guard "
            "looked at it: they may be few, or last week may have been unusual.",
        ),
    )
    return (Group("naive", numbers.intervals.evaluation, rules),)
