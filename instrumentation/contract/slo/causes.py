"""Numbers of the causes: tickets that explain a page, and that never page themselves.

Each is meant to fire before the symptom that it explains, hence the short waits.
"""

from __future__ import annotations

from dataclasses import dataclass

from instrumentation.contract.slo import kinds
from instrumentation.contract.slo.kinds import DAY, HOUR, MINUTE


@dataclass(frozen=True, kw_only=True, slots=True)
class Loop:
    """The event loop stands still, and every request of the process with it."""

    window: float = kinds.window(5 * MINUTE)
    wait: float = kinds.wait(2 * MINUTE)
    blocked: float = kinds.share(0.05)
    """Share of the time that the worst instance stood still. Less delays few requests: at 5 %,
    one in twenty arrives while nothing moves. One long pause is less than that of 5 minutes."""
    endpoint: float = kinds.seconds(0.25)
    """A route whose 99th percentile of blocking is longer than this is worth mending, however
    seldom it is called. A bound of the histogram."""
    min_blocks: float = kinds.count(10)
    """With fewer blocks in the window, a percentile is the longest of them."""
    endpoint_window: float = kinds.window(15 * MINUTE)
    """Long enough for a route that is called seldom, short enough that what was mended is not
    named as the cause of the next page."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Threads:
    """Every thread of a pool is taken, and sync endpoints wait."""

    window: float = kinds.window(5 * MINUTE)
    wait: float = kinds.wait(2 * MINUTE)
    waited: float = kinds.seconds(0.1)
    """Every twentieth call waits longer than this for a thread. A bound of the histogram."""
    min_calls: float = kinds.count(20)
    """With fewer calls in the window the twentieth part is less than one."""
    queued: float = kinds.window(2 * MINUTE)
    """Somebody waits at every single scrape of this long: a burst is over by the next one."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Pool:
    """Every connection of a database pool is taken."""

    window: float = kinds.window(5 * MINUTE)
    wait: float = kinds.wait(2 * MINUTE)
    waited: float = kinds.seconds(0.1)
    """Every twentieth caller waits longer than this for a connection. A bound of the histogram."""
    min_waits: float = kinds.count(20)
    """With fewer callers in the window the twentieth part is less than one."""
    queued: float = kinds.window(2 * MINUTE)
    """Somebody waits at every single scrape of this long: a burst is over by the next one."""
    timeouts: float = kinds.count(3)
    """One caller that gives up may have met a failover; three are no accident."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Dependency:
    """A service that this one calls fails, is slow, or is asked again and again."""

    window: float = kinds.window(5 * MINUTE)
    wait: float = kinds.wait(2 * MINUTE)
    failed: float = kinds.share(0.05)
    """Higher than for our own errors: a caller may retry, and many do."""
    min_failed: float = kinds.count(5)
    min_requests: float = kinds.count(20)
    """With fewer requests in the window, one failure is already 5 %."""
    slow: float = kinds.seconds(0.5)
    """Below this p95 a dependency is no reason for a slow request. A bound of the histogram."""
    slower: float = kinds.factor(2)
    """How many times its own usual p95: what is always slow is no news."""
    past: float = kinds.window(DAY)
    """The usual p95 is the median of this long a past."""
    min_past: float = kinds.past(HOUR)
    """The newest past is left out; with no older one, being slow is enough."""
    retried: float = kinds.share(0.2)
    """Retries for each request. The client's retry budget ends at the same share by default."""
    min_retries: float = kinds.count(20)
    """Fewer in the window are no load for anybody."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Background:
    """Work that no request waits for fails or is lost, and no user sees it happen."""

    window: float = kinds.window(15 * MINUTE)
    """Longer than for requests: such work is rarer."""
    wait: float = kinds.wait(MINUTE)
    failed: float = kinds.share(0.05)
    min_failed: float = kinds.count(3)
    """One failure is in the log, three in a quarter of an hour are a pattern."""
    lost: float = kinds.count(1)
    """Lost work is done by nobody, so one is enough."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Queue:
    """Jobs come faster than workers take them, or are given up."""

    window: float = kinds.window(15 * MINUTE)
    wait: float = kinds.wait(5 * MINUTE)
    min_depth: float = kinds.count(50)
    """Fewer waiting jobs are done in a moment."""
    growth: float = kinds.factor(1.5)
    """A queue grows when it holds this many times what it held a window ago, and was never empty
    in between."""
    oldest: float = kinds.seconds(10 * MINUTE)
    """Whoever waits for a job longer than this has noticed, however short the queue."""
    dead_letters: float = kinds.count(1)
    """A job that was given up has used all its retries: nobody tries it again."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Garbage:
    """The garbage collector stops the process too often or for too long."""

    window: float = kinds.window(10 * MINUTE)
    wait: float = kinds.wait(5 * MINUTE)
    paused: float = kinds.share(0.05)
    """Share of the time that the worst instance was stopped. One long collection is none of it:
    a pause of 10 s is 2 % of the window."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Observation:
    """The library itself loses what it saw: pages stay right, explanations have gaps."""

    window: float = kinds.window(10 * MINUTE)
    wait: float = kinds.wait(2 * MINUTE)
    spans: float = kinds.share(0.01)
    """Share of the finished spans that were dropped or could not be exported. A restart of the
    collector costs a few; the library's own retries cover most."""
    min_spans: float = kinds.count(10)
