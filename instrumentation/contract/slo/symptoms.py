"""Numbers of the symptoms: a long tail, errors, missing traffic, missing targets."""

from __future__ import annotations

from dataclasses import dataclass

from instrumentation.contract.slo import kinds
from instrumentation.contract.slo.kinds import DAY, HOUR, MINUTE


@dataclass(frozen=True, kw_only=True, slots=True)
class Tail:
    """A few users wait many times as long as most."""

    window: float = kinds.window(10 * MINUTE)
    wait: float = kinds.wait(5 * MINUTE)
    ratio: float = kinds.factor(3)
    """A tail is long when p99 is more than this many times p50."""
    floor: float = kinds.seconds(0.3)
    """Below this p99 no user waits, however far away the median is."""
    min_requests: float = kinds.count(300)
    """With fewer requests in the window, p99 is the work of three of them."""
    unusual: float = kinds.factor(1.5)
    """A service that always has a long tail pages only when it grows by this factor."""
    rare: float = kinds.share(0.02)
    """Where fewer requests than this are usually slower than the objective, chance decides whether
    p99 is one of them. Then it is their number that must be unusual."""
    more: float = kinds.factor(2)
    """So many times as many slow requests as usual, and five more: of 2,000 requests with 1 % of
    slow ones, chance makes 45 of 20 once in a million windows."""
    past: float = kinds.window(DAY)
    """The usual ratio is the median of this long a past."""
    min_past: float = kinds.past(HOUR)
    """The newest past is left out, so that a fault does not become its own usual value. A service
    without an older past opens a ticket instead of paging."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Errors:
    """Requests fail through the service's own fault."""

    window: float = kinds.window(5 * MINUTE)
    wait: float = kinds.wait(2 * MINUTE)
    ratio: float = kinds.share(0.01)
    min_requests: float = kinds.count(100)
    """With fewer requests in the window, one error is already more than 1 %."""
    min_errors: float = kinds.count(5)
    """Fewer errors than this are no pattern, whatever their share."""
    long_window: float = kinds.window(HOUR)
    """Where the short window holds too few requests. Five errors among fewer than a hundred
    requests are more than 5 %, so this window needs no floor under its requests."""
    recent: float = kinds.window(15 * MINUTE)
    """The long window speaks only while errors are this recent, so a mended service is not
    paged."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Traffic:
    """Users who usually come don't."""

    sample: float = kinds.window(2 * MINUTE)
    """How old the two newest scrapes may be that tell the rate of this moment."""
    window: float = kinds.window(30 * MINUTE)
    wait: float = kinds.wait(10 * MINUTE)
    drop: float = kinds.share(0.2)
    """The share of the usual requests that must be missing."""
    min_requests: float = kinds.count(800)
    """The usual window must hold this many requests: chance then explains a drop of 20 % in fewer
    than one window in a million (the standard deviation of a Poisson count of 800 is 3.5 %)."""
    around: float = kinds.past(15 * MINUTE)
    """Where past weeks had as few requests so much earlier or later, users come late or leave
    early today, and are not lost."""
    memory: float = kinds.window(HOUR)
    """A service that had requests within this time and has no series now is counted as zero."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Silence:
    """Nobody comes at all."""

    window: float = kinds.window(5 * MINUTE)
    wait: float = kinds.wait(2 * MINUTE)
    min_requests: float = kinds.count(20)
    """Requests expected in the window: chance leaves 20 expected ones out once in 500 million."""
    around: float = kinds.past(30 * MINUTE)
    """Where past weeks were silent within a quarter of an hour of now, silence is no news."""
    often: float = kinds.share(0.2)
    """Where no past week is known, silence is no news for a service that was silent for this share
    of the past day, as one that a batch client asks once an hour."""
    past: float = kinds.window(DAY)
    """That day, without its newest hour: the silence in question is not to excuse itself."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Targets:
    """A service or a part of the telemetry can't be seen any more."""

    sample: float = kinds.window(2 * MINUTE)
    """An `up` older than this says nothing about the present."""
    wait: float = kinds.wait(2 * MINUTE)
    memory: float = kinds.window(DAY)
    """A job that was up within this time and has no `up` now is gone."""
    settle: float = kinds.window(5 * MINUTE)
    """After Prometheus or the collector was away, missing data are not taken for missing requests
    for this long: the collector's retries wait up to 15 s, then two scrapes must arrive."""
