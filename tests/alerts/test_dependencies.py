"""A dependency that fails, is slow, or is asked again and again; and what is none of that."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from instrumentation.contract.metrics import HTTP_CLIENT_REQUEST_DURATION, HTTP_CLIENT_RETRIES
from tests.alerts.cases import Life, silent
from tests.alerts.parts import MINUTE, Series, counter, histogram

FILES = ("causes.yml",)
PAYMENTS = {"server_address": "payments"}


def client(*phases: tuple[int, float, float], error: str = "") -> Iterator[Series]:
    yield from histogram(HTTP_CLIENT_REQUEST_DURATION, *phases, **PAYMENTS, error_type=error)


FAILING = Life(
    alert="DependencyFailing",
    files=FILES,
    series=[
        *client((20 * MINUTE, 30, 0.04), (20 * MINUTE, 20, 0.04), (20 * MINUTE, 30, 0.04)),
        *client(
            (20 * MINUTE, 0, 0.04), (20 * MINUTE, 6, 0.04), (20 * MINUTE, 0, 0.04), error="503"
        ),
        *client(
            (20 * MINUTE, 0, 0.04),
            (20 * MINUTE, 4, 0.04),
            (20 * MINUTE, 0, 0.04),
            error="ConnectError",
        ),
    ],
    # A third of the requests fail: of five minutes more than 5 % after 3 scrapes.
    start=20 * 60 + 2 * 15,
    firing=35,
    silent=(20, 22, 50),
    said={
        "kind": "cause",
        "level": "job_server",
        **PAYMENTS,
        "summary": "payments fails requests of orders",
        "description": "33.33% of the requests to it failed over 5 minutes, more than 5%. The "
        "caller's own mistakes (4xx but 429) are not counted.",
    },
)
SLOW = Life(
    alert="DependencySlow",
    files=FILES,
    series=client((90 * MINUTE, 30, 0.04), (20 * MINUTE, 30, 2), (20 * MINUTE, 30, 0.04)),
    # More than a twentieth of five minutes' requests after the second scrape.
    start=90 * 60,
    firing=105,
    silent=(90, 91, 120),
    said={
        "kind": "cause",
        "level": "job_server",
        **PAYMENTS,
        "summary": "payments answers orders slowly",
        "description": "Every twentieth request to it took 2.45s or longer over 5 minutes, more "
        "than 0.5 s, and more than 2 times the usual time where one is known.",
    },
)
RETRIES = Life(
    alert="RetriesStorming",
    files=FILES,
    series=[
        *client((60 * MINUTE, 20, 0.04)),
        counter(
            HTTP_CLIENT_RETRIES.name,
            (20 * MINUTE, 1),
            (20 * MINUTE, 10),
            (20 * MINUTE, 1),
            **PAYMENTS,
            reason="503",
        ),
    ],
    # From 5 % to 50 %: the mean of five minutes passes 20 % with the seventh scrape.
    start=20 * 60 + 6 * 15,
    firing=35,
    silent=(20, 22, 50),
    said={
        "kind": "cause",
        "level": "job_server",
        **PAYMENTS,
        "summary": "orders retries its requests to payments too often",
        "description": "50% as many retries as requests over 5 minutes, more than 20%: they load "
        "what is failing already.",
    },
)
LIVES = (FAILING, SLOW, RETRIES)


@pytest.mark.parametrize("life", LIVES, ids=lambda life: life.alert)
def test_a_cause_is_silent_then_fires_then_resolves(life: Life, tmp_path: Path) -> None:
    life.check(tmp_path)


@pytest.mark.parametrize("error", ["404", "400", "422"])
def test_the_callers_own_mistakes_are_no_failure_of_the_dependency(
    error: str, tmp_path: Path
) -> None:
    series = [*client((250, 30, 0.04)), *client((250, 20, 0.04), error=error)]
    silent("DependencyFailing", FILES, series, tmp_path)


def test_a_dependency_that_throttles_fails(tmp_path: Path) -> None:
    series = [*client((100, 30, 0.04)), *client((100, 30, 0.04), error="429")]
    said = {**FAILING.said, "description": FAILING.said["description"].replace("33.33", "50")}
    throttled = replace(FAILING, series=series, start=15, firing=20, silent=(), said=said)
    throttled.check(tmp_path)


def test_few_failures_of_a_dependency_are_silent(tmp_path: Path) -> None:
    series = [
        *client((80, 0.5, 0.04), (200, 0.5, 0.04)),
        *client((80, 0, 0.04), (8, 0.5, 0.04), (200, 0, 0.04), error="503"),
    ]
    silent("DependencyFailing", FILES, series, tmp_path)


def test_a_dependency_that_is_always_slow_is_silent_once_that_is_known(tmp_path: Path) -> None:
    slow = Life(
        alert="DependencySlow",
        files=FILES,
        series=client((200 * MINUTE, 30, 2)),
        # The first quantile needs two scrapes.
        start=15,
        firing=30,
        # An hour later its past is known.
        silent=(75, 120, 190),
        said=SLOW.said,
    )
    slow.check(tmp_path)


def test_a_few_retries_are_silent(tmp_path: Path) -> None:
    series = [
        *client((250, 1, 0.04)),
        counter(HTTP_CLIENT_RETRIES.name, (250, 0.5), **PAYMENTS, reason="503"),
    ]
    silent("RetriesStorming", FILES, series, tmp_path)
