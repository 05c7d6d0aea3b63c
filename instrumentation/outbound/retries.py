"""Sends a request again by a policy: each time a span of its own, and counted."""

from __future__ import annotations

import random
import time
from collections.abc import Awaitable, Callable
from typing import Any, Final

from tenacity import AsyncRetrying, RetryCallState, Retrying

from instrumentation import exceptions
from instrumentation.context import current
from instrumentation.contract import metrics
from instrumentation.outbound.policy import Budget, RetryPolicy, retry_after

_BROKEN: Final = (
    "ConnectError",
    "ConnectTimeout",
    "ReadError",
    "WriteError",
    "RemoteProtocolError",
)
"""The server may not have had the request, or can't be asked any more what became of it."""
_TIMEOUTS: Final = ("ReadTimeout", "WriteTimeout")
_KEY: Final = "Idempotency-Key"


class Retries:
    """The policy of one client, and what is left of its budget.

    Arguments:
        library: httpx or httpx2.
        clock: the time that a `Retry-After` with a date is compared with.
        uniform: picks the random time between two bounds.
        pauses: what tenacity sleeps with; its own by default.
    """

    def __init__(
        self,
        policy: RetryPolicy,
        library: Any,
        *,
        clock: Callable[[], float] = time.time,
        uniform: Callable[[float, float], float] = random.uniform,
        **pauses: Any,
    ) -> None:
        names = (*_BROKEN, *(_TIMEOUTS if policy.after_timeout else ()))
        self._failures = tuple(getattr(library, name) for name in names)
        self._bytes: type[Any] = library.ByteStream
        self._policy = policy
        self._budget = Budget(policy.budget, policy.reserve)
        self._clock = clock
        self._uniform = uniform
        self._pauses = pauses

    def send(self, once: Callable[[], Any], request: Any) -> Any:
        """Call `once` until it succeeds or the policy ends it; its last outcome is ours."""
        self._budget.earn()
        return Retrying(
            retry=lambda state: self._goes_on(state, request),
            wait=self._wait,
            before_sleep=lambda state: _close(state, request),
            **self._pauses,
        )(once)

    async def send_async(self, once: Callable[[], Awaitable[Any]], request: Any) -> Any:
        """As `send`, without holding up the event loop."""
        self._budget.earn()

        async def close(state: RetryCallState) -> None:
            await _close_async(state, request)

        return await AsyncRetrying(
            retry=lambda state: self._goes_on(state, request),
            wait=self._wait,
            before_sleep=close,
            **self._pauses,
        )(once)

    def _goes_on(self, state: RetryCallState, request: Any) -> bool:
        return (
            state.attempt_number < self._policy.attempts
            and self._may_succeed(state)
            and self._is_repeatable(request)
            and self._budget.spend()
        )

    def _may_succeed(self, state: RetryCallState) -> bool:
        response, error = _outcome(state)
        if error is not None:
            return isinstance(error, self._failures)
        if response.status_code not in self._policy.statuses:
            return False
        asked = retry_after(response.headers, self._clock)
        return asked is None or asked <= self._policy.longest_retry_after

    def _is_repeatable(self, request: Any) -> bool:
        repeatable = request.method in self._policy.methods or _KEY in request.headers
        return repeatable and isinstance(request.stream, self._bytes)

    def _wait(self, state: RetryCallState) -> float:
        """What the server asks for, and a little more: it may have told many clients the same."""
        response, _ = _outcome(state)
        asked = None if response is None else retry_after(response.headers, self._clock)
        if asked is not None:
            return asked + self._uniform(0.0, self._policy.backoff)
        return self._uniform(0.0, self._policy.longest_wait(state.attempt_number))


def _outcome(state: RetryCallState) -> tuple[Any, BaseException | None]:
    """The response, or the error: of the attempt that has just ended."""
    outcome = state.outcome
    if outcome is None:
        return None, None
    error = outcome.exception()
    return (None, error) if error is not None else (outcome.result(), None)


def _close(state: RetryCallState, request: Any) -> None:
    response, error = _outcome(state)
    _count(request, response, error)
    if response is not None:
        response.close()


async def _close_async(state: RetryCallState, request: Any) -> None:
    response, error = _outcome(state)
    _count(request, response, error)
    if response is not None:
        await response.aclose()


def _count(request: Any, response: Any, error: BaseException | None) -> None:
    telemetry = current()
    if telemetry is None:
        return
    reason = str(response.status_code) if error is None else exceptions.error_type(error)
    family = telemetry.families.counter(metrics.HTTP_CLIENT_RETRIES)
    family.child(request.url.host, reason).inc()
