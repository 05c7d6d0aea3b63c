"""Numbers of the objectives: what is promised over four weeks, and how fast it may be spent."""

from __future__ import annotations

from dataclasses import dataclass, field

from instrumentation.contract.objective import LATENCY_OBJECTIVE_SECONDS
from instrumentation.contract.slo import kinds
from instrumentation.contract.slo.kinds import DAY, HOUR, MINUTE


@dataclass(frozen=True, kw_only=True, slots=True)
class Burn:
    """Budget is spent `rate` times too fast: over a long window, and over a short one still."""

    rate: float = kinds.factor(1)
    window: float = kinds.window(HOUR)
    short: float = kinds.window(5 * MINUTE)


@dataclass(frozen=True, kw_only=True, slots=True)
class Objectives:
    """Availability and latency, as shares of the requests of a period."""

    availability: float = kinds.share(0.999)
    """The share of requests that must not fail with a 5xx."""
    latency: float = kinds.seconds(LATENCY_OBJECTIVE_SECONDS)
    """What a request may take; one of the bounds of the request duration's histogram."""
    fast: float = kinds.share(0.99)
    """The share of requests that must not take longer."""
    wait: float = kinds.wait(2 * MINUTE)
    min_bad: float = kinds.count(5)
    """Fewer bad requests in the long window than this are no pattern, whatever their share."""
    unusual: float = kinds.factor(1.5)
    """A service that is always slow pages only when its share of slow requests grows so much."""
    period: float = kinds.past(28 * DAY)
    """Four whole weeks, so that every period holds the same number of weekends."""
    burn_fastest: Burn = field(default_factory=lambda: Burn(rate=14.4))
    """Pages: 2 % of the period's budget in an hour."""
    burn_fast: Burn = field(
        default_factory=lambda: Burn(rate=6, window=6 * HOUR, short=30 * MINUTE)
    )
    """Pages: 5 % of the period's budget in six hours."""
    burn_sudden: Burn = field(default_factory=lambda: Burn(rate=14.4, window=30 * MINUTE))
    """Pages, for latency only: 1 % of the period's budget in half an hour. Where half of all
    requests become too slow, the hour's 14.4 % take 17 minutes and these take 9."""
    burn_slow: Burn = field(default_factory=lambda: Burn(rate=3, window=DAY, short=2 * HOUR))
    """Opens a ticket: 10 % of the period's budget in a day."""
    burn_slowest: Burn = field(default_factory=lambda: Burn(rate=1, window=3 * DAY, short=6 * HOUR))
    """Opens a ticket: 10 % of the period's budget in three days."""
