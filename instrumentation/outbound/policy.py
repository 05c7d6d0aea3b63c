"""When a request is sent again, and how long after."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import Any, Final

_IDEMPOTENT: Final = frozenset(("DELETE", "GET", "HEAD", "OPTIONS", "PUT", "TRACE"))
_TRANSIENT: Final = frozenset((429, 502, 503, 504))


@dataclass(frozen=True, kw_only=True, slots=True)
class RetryPolicy:
    """Which requests are sent again after which failures; times are in seconds.

    A request is sent again only if its method is idempotent, or it carries an `Idempotency-Key`,
    and its body can be sent twice (bytes, text, JSON or a form, but no iterator and no file).

    Attributes:
        attempts: most times that a request is sent, the first time included; 1 for no retries.
        backoff: before the n-th retry a random time up to `backoff` × 2^(n-1) passes ("full
            jitter", https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/),
            so that many clients don't come back at the same moment.
        longest_backoff: bound of that time.
        longest_retry_after: a `Retry-After` is waited for up to this; where the server asks for
            more, its answer is handed to the caller instead.
        methods: the methods that are sent again.
        statuses: the answers after which a request is sent again.
        after_timeout: whether also a request is sent again whose answer did not come in time. Off
            by default: it would double the load of a server that is merely slow.
        budget: retries allowed per request, over time: with 0.1 a tenth more requests at most, so
            that a server that is down gets no storm on top.
        reserve: retries that are allowed at once, before there were requests to pay for them.
    """

    attempts: int = 3
    backoff: float = 0.1
    longest_backoff: float = 2.0
    longest_retry_after: float = 5.0
    methods: frozenset[str] = _IDEMPOTENT
    statuses: frozenset[int] = _TRANSIENT
    after_timeout: bool = False
    budget: float = 0.1
    reserve: float = 10.0

    def __post_init__(self) -> None:
        """Raise ValueError for what can't be meant."""
        if not isinstance(self.attempts, int) or self.attempts < 1:
            raise _wrong("attempts", "a whole number of at least 1", self.attempts)
        for name in ("backoff", "longest_backoff", "longest_retry_after", "budget", "reserve"):
            value = getattr(self, name)
            if not isinstance(value, int | float) or not 0 <= value <= 3600:
                raise _wrong(name, "a number from 0 to 3600", value)

    def longest_wait(self, retry: int) -> float:
        """The bound of the random time before the `retry`-th retry."""
        return float(min(self.longest_backoff, self.backoff * 2 ** min(retry - 1, 60)))


def _wrong(name: str, rule: str, value: object) -> ValueError:
    return ValueError(f"RetryPolicy.{name} must be {rule}, got {value!r}")


class Budget:
    """Retries that may still be made: each request pays a part of one in advance."""

    def __init__(self, share: float, reserve: float) -> None:
        self._share = share
        self._reserve = reserve
        self._left = reserve
        self._lock = threading.Lock()

    def earn(self) -> None:
        """A request is sent for the first time; more than the reserve is never saved up."""
        with self._lock:
            self._left = min(self._reserve, self._left + self._share)

    def spend(self) -> bool:
        """Take one retry; False where none is left."""
        with self._lock:
            if self._left < 1:
                return False
            self._left -= 1
            return True


def retry_after(headers: Any, clock: Callable[[], float] = time.time) -> float | None:
    """The seconds that a `Retry-After` asks for, None where there is none that can be read.

    Both forms of RFC 9110, 10.2.3: a number of seconds, and a date.
    """
    text = headers.get("retry-after", "").strip()
    if text.isdecimal() and text.isascii():
        return float(text[:10])
    try:
        date = parsedate_to_datetime(text)
    except ValueError:
        return None
    if date.tzinfo is None:  # RFC 9110: "GMT" is all that it can mean
        date = date.replace(tzinfo=UTC)
    return max(0.0, date.timestamp() - clock())
