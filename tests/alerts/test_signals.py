"""Signals: a status that rises above its own usual share opens a ticket, a usual one doesn't."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from instrumentation.contract.metrics import HTTP_SERVER_ABORTED_REQUESTS as ABORTED
from instrumentation.contract.metrics import HTTP_SERVER_REQUEST_DURATION as DURATION
from tests.alerts.cases import Life
from tests.alerts.parts import MINUTE, Series, counter
from tests.alerts.promtool import Simulation

FILES = ("signals.yml", "errors.yml")
ROUTE = {"http_route": "/orders"}
REQUESTS = 100
"""At each scrape."""


def requests(status: str, *shares: tuple[int, float]) -> Iterator[Series]:
    """Answer a share of all requests with the status."""
    others = ((scrapes, REQUESTS * (1 - share)) for scrapes, share in shares)
    of_it = ((scrapes, REQUESTS * share) for scrapes, share in shares)
    yield counter(f"{DURATION.name}_count", *others, **ROUTE, http_response_status_code="200")
    yield counter(f"{DURATION.name}_count", *of_it, **ROUTE, http_response_status_code=status)


def risen(alert: str, status: str, start: int, percent: str, summary: str, meaning: str) -> Life:
    share = 3 * float(percent) / 100
    return Life(
        alert=alert,
        files=FILES,
        series=requests(status, (90 * MINUTE, 0.01), (20 * MINUTE, share), (20 * MINUTE, 0.01)),
        start=start,
        firing=100,
        silent=(90, 94, 121),
        said={
            "kind": "signal",
            "summary": summary,
            "description": f"{share:.0%} of its requests over 5 minutes were answered with "
            f"{status}, more than {percent}% and 3 times the usual share: {meaning}. Most often: "
            "/orders.",
            "traces": f"tags=%7B%22http.response.status_code%22%3A%22{status}%22%7D",
        },
    )


LIVES = (
    risen(
        "InvalidRequestsRising",
        "422",
        90 * 60 + 5 * 15,
        "5",
        "orders refuses more requests as invalid",
        "a client, or a release of the service, broke the contract between them",
    ),
    risen(
        "ThrottledRequestsRising",
        "429",
        90 * 60 + 5 * 15,
        "5",
        "orders throttles more requests",
        "somebody runs into a limit, or the limit is too low",
    ),
    risen(
        "UnauthorizedRequestsRising",
        "401",
        90 * 60 + 7 * 15,
        "2",
        "orders refuses more credentials",
        "credentials expired, a key was rotated, or somebody tries out passwords",
    ),
    risen(
        "ForbiddenRequestsRising",
        "403",
        90 * 60 + 7 * 15,
        "2",
        "orders forbids more requests",
        "a permission was taken away, or somebody looks for what isn't theirs",
    ),
    Life(
        alert="UnavailableResponses",
        files=FILES,
        series=requests("503", (30 * MINUTE, 0), (20 * MINUTE, 0.02), (20 * MINUTE, 0)),
        # 20 of 2,000 requests, ten scrapes later.
        start=30 * 60 + 9 * 15,
        firing=45,
        silent=(30, 35, 56),
        said={
            "kind": "signal",
            "summary": "orders turns requests away",
            "description": "2% of its requests over 5 minutes were answered with 503, more than "
            "0.5%: something that it needs is exhausted: threads, connections, or a dependency. "
            "Most often: /orders.",
            "traces": "tags=%7B%22http.response.status_code%22%3A%22503%22%7D",
        },
    ),
    Life(
        alert="ClientsLeaving",
        files=FILES,
        series=[
            *requests("204", (130 * MINUTE, 0.5)),
            counter(ABORTED.name, (90 * MINUTE, 1), (20 * MINUTE, 20), (20 * MINUTE, 1), **ROUTE),
        ],
        start=90 * 60 + 4 * 15,
        firing=100,
        silent=(90, 94, 121),
        said={
            "kind": "signal",
            "summary": "Clients of orders leave before they are answered",
            "description": "20% of its requests over 5 minutes lost their client first, more than "
            "5% and 3 times the usual share: they gave up waiting, or a proxy did for them. Most "
            "often: /orders.",
        },
    ),
)


def never(series: Iterator[Series], work: Path) -> None:
    asked = {
        "expr": 'max_over_time(count(ALERTS{kind="signal",alertstate="firing"})[2h:30s])',
        "eval_time": "2h",
        "exp_samples": [],
    }
    Simulation(FILES, list(series)).run(work, promql_expr_test=[asked])


@pytest.mark.parametrize("life", LIVES, ids=lambda life: life.alert)
def test_a_signal_is_silent_then_fires_then_resolves(life: Life, tmp_path: Path) -> None:
    life.check(tmp_path)


def test_a_client_that_always_errs_is_silent(tmp_path: Path) -> None:
    never(requests("422", (120 * MINUTE, 0.2)), tmp_path)


def test_a_service_that_always_asks_for_credentials_first_is_silent(tmp_path: Path) -> None:
    never(requests("401", (120 * MINUTE, 0.5)), tmp_path)


def test_a_rise_that_stays_small_is_silent(tmp_path: Path) -> None:
    never(requests("422", (90 * MINUTE, 0.001), (30 * MINUTE, 0.04)), tmp_path)


def test_a_scan_of_missing_pages_is_silent(tmp_path: Path) -> None:
    never(requests("404", (90 * MINUTE, 0.01), (30 * MINUTE, 0.7)), tmp_path)
