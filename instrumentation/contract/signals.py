"""Questions about statuses that are no failure of the service's own, and clients that leave."""

from __future__ import annotations

from typing import TYPE_CHECKING

from instrumentation.contract import promql, recorded
from instrumentation.contract.metrics import HTTP_SERVER_ABORTED_REQUESTS as ABORTED
from instrumentation.contract.metrics import HTTP_SERVER_REQUEST_DURATION as REQUEST_DURATION
from instrumentation.contract.recorded import SERVICE

if TYPE_CHECKING:
    from instrumentation.contract.recorded import Recorded
    from instrumentation.contract.slo import Numbers

_ROUTE = ("http_route",)
_REQUESTS = recorded.REQUESTS_5M.at(SERVICE)


def responses(status: str, window: float) -> str:
    """Responses of a status a second; zero where there were requests and none had it.

    Recorded: `recorded.RESPONSES_5M`.
    """
    found = promql.observations(REQUEST_DURATION, window, SERVICE.labels, (_status(status),))
    return promql.zero_fill(found, _REQUESTS)


def aborted(window: float) -> str:
    """Requests a second whose client left first; zero where there were requests and none did.

    Recorded: `recorded.ABORTED_5M`.
    """
    left = promql.rate(ABORTED, window, SERVICE.labels)
    return promql.zero_fill(left, _REQUESTS)


def large(quantity: Recorded, share: float, numbers: Numbers) -> str:
    """A recorded rate's share of the requests, where it is large and no work of a few."""
    name, requests = quantity.at(SERVICE), _REQUESTS
    return promql.every(
        f"{name} / {requests} > {share:g}",
        f"{name} * {numbers.signals.window:g} >= {numbers.signals.min_requests:g}",
    )


def risen(quantity: Recorded, share: float, numbers: Numbers) -> str:
    """A recorded rate's share of the requests, where it is large and well above its usual one."""
    name, requests = quantity.at(SERVICE), _REQUESTS
    signals = numbers.signals
    past = f"[{promql.duration(signals.past)}] offset {promql.duration(signals.min_past)}"
    usual = f"avg_over_time({name}{past}) / avg_over_time({requests}{past})"
    return promql.every(
        large(quantity, share, numbers), f"{name} / {requests} > {signals.rise:g} * {usual}"
    )


def worst_route(status: str, window: float, *matchers: str) -> str:
    """The route that answers with a status most often."""
    chosen = (*matchers, _status(status))
    return f"topk(1, {promql.observations(REQUEST_DURATION, window, _ROUTE, chosen)} > 0)"


def most_left_route(window: float, *matchers: str) -> str:
    """The route whose clients leave most often."""
    return f"topk(1, {promql.rate(ABORTED, window, _ROUTE, matchers)} > 0)"


def _status(status: str) -> str:
    return promql.equals("http_response_status_code", status)
