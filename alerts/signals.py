"""Signals: what the statuses of responses tell, and clients that leave before theirs is there."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from alerts import words
from alerts.model import Alert, Group, Record
from instrumentation.contract import recorded, signals
from instrumentation.contract.recorded import SERVICE

if TYPE_CHECKING:
    from instrumentation.contract.slo import Numbers


class _Status(NamedTuple):
    """One status: its alert, the name of its share's bound, and what it means."""

    code: str
    alert: str
    bound: str
    summary: str
    meaning: str


_CLIENTS = (
    _Status(
        "422",
        "InvalidRequestsRising",
        "invalid",
        "{{ $labels.job }} refuses more requests as invalid",
        "a client, or a release of the service, broke the contract between them",
    ),
    _Status(
        "429",
        "ThrottledRequestsRising",
        "throttled",
        "{{ $labels.job }} throttles more requests",
        "somebody runs into a limit, or the limit is too low",
    ),
    _Status(
        "401",
        "UnauthorizedRequestsRising",
        "denied",
        "{{ $labels.job }} refuses more credentials",
        "credentials expired, a key was rotated, or somebody tries out passwords",
    ),
    _Status(
        "403",
        "ForbiddenRequestsRising",
        "denied",
        "{{ $labels.job }} forbids more requests",
        "a permission was taken away, or somebody looks for what isn't theirs",
    ),
)
_UNAVAILABLE = _Status(
    "503",
    "UnavailableResponses",
    "unavailable",
    "{{ $labels.job }} turns requests away",
    "something that it needs is exhausted: threads, connections, or a dependency",
)


def groups(numbers: Numbers) -> tuple[Group, ...]:
    """Record responses by status, and open tickets where they rise above their usual share."""
    window = numbers.signals.window
    records = [
        Record(quantity.at(SERVICE), signals.responses(status, window))
        for status, quantity in recorded.RESPONSES_5M.items()
    ]
    records.append(Record(recorded.ABORTED_5M.at(SERVICE), signals.aborted(window)))
    alerts = (*(_risen(status, numbers) for status in _CLIENTS), _large(numbers), _aborted(numbers))
    return (Group("signals", numbers.intervals.evaluation, (*records, *alerts)),)


def _risen(status: _Status, numbers: Numbers) -> Alert:
    bound: float = getattr(numbers.signals, status.bound)
    expression = signals.risen(recorded.RESPONSES_5M[status.code], bound, numbers)
    above = f"more than {words.percent(bound)} and {numbers.signals.rise:g} times the usual share"
    return _alert(status, expression, above, numbers)


def _large(numbers: Numbers) -> Alert:
    bound = numbers.signals.unavailable
    expression = signals.large(recorded.RESPONSES_5M[_UNAVAILABLE.code], bound, numbers)
    return _alert(_UNAVAILABLE, expression, f"more than {words.percent(bound)}", numbers)


def _alert(status: _Status, expression: str, above: str, numbers: Numbers) -> Alert:
    window = numbers.signals.window
    worst = words.first(
        signals.worst_route(status.code, window, "job=%q"), " Most often: {{ .Labels.http_route }}."
    )
    return Alert(
        name=status.alert,
        expression=expression,
        wait=numbers.signals.wait,
        severity="warning",
        level=SERVICE,
        summary=status.summary,
        description=f"{{{{ $value | humanizePercentage }}}} of its requests over "
        f"{words.span(window)} were answered with {status.code}, {above}: {status.meaning}.{worst}",
        kind="signal",
        traces={"tags": f"http.response.status_code={status.code}"},
    )


def _aborted(numbers: Numbers) -> Alert:
    window, bound = numbers.signals.window, numbers.signals.aborted
    worst = words.first(
        signals.most_left_route(window, "job=%q"), " Most often: {{ .Labels.http_route }}."
    )
    return Alert(
        name="ClientsLeaving",
        expression=signals.risen(recorded.ABORTED_5M, bound, numbers),
        wait=numbers.signals.wait,
        severity="warning",
        level=SERVICE,
        summary="Clients of {{ $labels.job }} leave before they are answered",
        description="{{ $value | humanizePercentage }} of its requests over "
        f"{words.span(window)} lost their client first, more than {words.percent(bound)} and "
        f"{numbers.signals.rise:g} times the usual share: they gave up waiting, or a proxy did "
        f"for them.{worst}",
        kind="signal",
    )
