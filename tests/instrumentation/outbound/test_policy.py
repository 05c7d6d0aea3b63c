"""What a policy says: waits, budgets, and what a server asks for."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from instrumentation.outbound import RetryPolicy
from instrumentation.outbound.policy import Budget, retry_after
from instrumentation.outbound.retries import Retries

NOW = 1_700_000_000.0  # Tue, 14 Nov 2023 22:13:20 GMT


@pytest.mark.proves("Outbound", "Retry-After is honoured")
@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("3", 3.0),
        (" 0 ", 0.0),
        ("Tue, 14 Nov 2023 22:13:27 GMT", 7.0),
        ("Tue, 14 Nov 2023 22:13:27", 7.0),
        ("Tue, 14 Nov 2023 22:13:00 GMT", 0.0),
        ("99999999999999999999", 9999999999.0),
        ("-1", None),
        ("1.5", None),
        ("soon", None),
        ("", None),
    ],
)
def test_both_forms_of_retry_after_are_read(header: str, seconds: float | None) -> None:
    assert retry_after({"retry-after": header}, lambda: NOW) == seconds


def test_without_the_header_nothing_is_asked() -> None:
    assert retry_after({}, lambda: NOW) is None


@pytest.mark.proves("Outbound", "a retry budget")
def test_a_budget_allows_the_reserve_and_then_a_share_of_the_requests() -> None:
    budget = Budget(share=0.25, reserve=2)
    assert [budget.spend() for _ in range(3)] == [True, True, False]
    for _ in range(3):
        budget.earn()
    assert not budget.spend()
    budget.earn()
    assert budget.spend()
    assert not budget.spend()
    for _ in range(100):
        budget.earn()
    assert [budget.spend() for _ in range(3)] == [True, True, False], "no more is saved up"


class Attempts:
    """Answers one after another, and what happened between them."""

    def __init__(self, *answers: httpx.Response | Exception, **policy: Any) -> None:
        self.answers = list(answers)
        self.pauses: list[float] = []
        self.bounds: list[tuple[float, float]] = []
        self.sent = 0
        self.retries = Retries(
            RetryPolicy(**policy),
            httpx,
            clock=lambda: NOW,
            uniform=self.uniform,
            sleep=self.pauses.append,
        )

    def uniform(self, low: float, high: float) -> float:
        self.bounds.append((low, high))
        return high

    def once(self) -> httpx.Response:
        self.sent += 1
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def run(self, method: str = "GET", **options: Any) -> int:
        return int(self.retries.send(self.once, httpx.Request(method, "http://x", **options))
                   .status_code)  # fmt: skip


def answer(status: int, retry_after: str | None = None) -> httpx.Response:
    return httpx.Response(status, headers={"Retry-After": retry_after} if retry_after else None)


@pytest.mark.proves("Outbound", "exponential backoff with full jitter")
def test_the_bound_of_the_random_wait_doubles_up_to_the_longest() -> None:
    attempts = Attempts(*[answer(503)] * 6, attempts=6, backoff=0.5, longest_backoff=3)
    assert attempts.run() == 503
    assert attempts.bounds == [(0, 0.5), (0, 1), (0, 2), (0, 3), (0, 3)]
    assert attempts.pauses == [0.5, 1, 2, 3, 3]


@pytest.mark.proves("Outbound", "Retry-After is honoured")
def test_the_server_is_waited_for_as_long_as_it_asks() -> None:
    attempts = Attempts(answer(503, "2"), answer(429, "Tue, 14 Nov 2023 22:13:24 GMT"), answer(200))
    assert attempts.run() == 200
    assert attempts.pauses == [2.1, 4.1]


@pytest.mark.proves("Outbound", "Retry-After is honoured")
def test_a_server_that_asks_for_more_than_the_longest_is_not_asked_again() -> None:
    attempts = Attempts(answer(503, "6"), longest_retry_after=5)
    assert attempts.run() == 503
    assert attempts.pauses == []


@pytest.mark.proves("Outbound", "only idempotent methods are retried by default")
@pytest.mark.parametrize(
    ("method", "options", "times"),
    [
        ("GET", {}, 3),
        ("HEAD", {}, 3),
        ("PUT", {"json": {}}, 3),
        ("DELETE", {}, 3),
        ("POST", {"json": {}}, 1),
        ("PATCH", {"json": {}}, 1),
        ("POST", {"json": {}, "headers": {"idempotency-key": "1"}}, 3),
        ("PUT", {"content": iter([b"once"])}, 1),
    ],
)
def test_only_what_may_be_repeated_is_sent_again(
    method: str, options: dict[str, Any], times: int
) -> None:
    attempts = Attempts(*[answer(503)] * 3)
    assert attempts.run(method, **options) == 503
    assert attempts.sent == times


@pytest.mark.parametrize(
    ("failure", "times"),
    [
        (httpx.ConnectError("x"), 3),
        (httpx.ConnectTimeout("x"), 3),
        (httpx.ReadError("x"), 3),
        (httpx.RemoteProtocolError("x"), 3),
        (httpx.ReadTimeout("x"), 1),
        (httpx.PoolTimeout("x"), 1),
        (httpx.UnsupportedProtocol("x"), 1),
        (httpx.TooManyRedirects("x"), 1),
    ],
)
def test_which_failures_are_worth_another_attempt(failure: Exception, times: int) -> None:
    attempts = Attempts(*[failure] * 3)
    with pytest.raises(type(failure)):
        attempts.run()
    assert attempts.sent == times


def test_a_late_answer_is_asked_for_again_where_the_user_wants_it() -> None:
    attempts = Attempts(httpx.ReadTimeout("x"), answer(200), after_timeout=True)
    assert attempts.run() == 200


@pytest.mark.proves("Outbound", "a retry budget")
def test_without_budget_there_is_one_attempt() -> None:
    attempts = Attempts(*[answer(503)] * 4, budget=0.0, reserve=1)
    assert [attempts.run(), attempts.run()] == [503, 503]
    assert attempts.sent == 3


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"attempts": 0}, "RetryPolicy.attempts must be a whole number of at least 1, got 0"),
        ({"backoff": -1}, "RetryPolicy.backoff must be a number from 0 to 3600, got -1"),
        ({"budget": "x"}, "RetryPolicy.budget must be a number from 0 to 3600, got 'x'"),
    ],
)
def test_what_can_not_be_meant_is_refused(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        RetryPolicy(**arguments)
