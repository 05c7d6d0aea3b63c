"""Traffic: users who usually come don't, or come and are not let in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from alerts import words
from alerts.model import Alert, Group, Record
from instrumentation.contract import recordings, symptoms
from instrumentation.contract.recorded import (
    REQUESTS_30M,
    REQUESTS_30M_USUAL,
    REQUESTS_NOW,
    SERVICE,
)

if TYPE_CHECKING:
    from instrumentation.contract.slo import Numbers

DROP: Final = "TrafficDrop"
GONE: Final = "TrafficGone"


def groups(numbers: Numbers) -> tuple[Group, ...]:
    """Record requests, now and usually, and alert where they are missing."""
    rules = (
        Record(REQUESTS_NOW.at(SERVICE), recordings.requests_now(numbers)),
        Record(REQUESTS_30M_USUAL.at(SERVICE), recordings.usual_requests()),
        Record(REQUESTS_30M.at(SERVICE), recordings.requests_lately(numbers)),
        Alert(
            name=DROP,
            expression=symptoms.traffic_drop(numbers),
            wait=numbers.traffic.wait,
            severity="critical",
            level=SERVICE,
            summary="{{ $labels.job }} gets fewer requests than usual",
            description="{{ $value | humanizePercentage }} of the requests are missing, compared "
            f"with the median of the same {words.span(numbers.traffic.window)} of the last three "
            "weeks.",
        ),
        Alert(
            name=GONE,
            expression=symptoms.traffic_gone(numbers),
            wait=numbers.silence.wait,
            severity="critical",
            level=SERVICE,
            summary="{{ $labels.job }} gets no requests any more",
            description=f"No request for {words.span(numbers.silence.window)}, at a time when some "
            f"are expected: within the past {words.span(numbers.traffic.memory)} there were "
            f"{{{{ $value | humanize }}}} in each {words.span(numbers.silence.window)}.",
        ),
    )
    return (Group("traffic", numbers.intervals.evaluation, rules),)
