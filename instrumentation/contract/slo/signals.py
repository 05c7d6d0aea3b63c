"""Numbers of the signals: what the statuses of responses tell, and clients that leave."""

from __future__ import annotations

from dataclasses import dataclass

from instrumentation.contract.slo import kinds
from instrumentation.contract.slo.kinds import DAY, HOUR, MINUTE


@dataclass(frozen=True, kw_only=True, slots=True)
class Signals:
    """Shares of requests, each well above its own usual value.

    Clients that err are usual: what is news is a rise, after a release or from a new client.
    """

    window: float = kinds.window(5 * MINUTE)
    wait: float = kinds.wait(5 * MINUTE)
    """Longer than a client's few retries, shorter than a person's patience with a ticket."""
    min_requests: float = kinds.count(20)
    """Fewer responses of a status in the window are one user's afternoon, not a pattern."""
    invalid: float = kinds.share(0.05)
    """422: a client or a release broke the contract."""
    throttled: float = kinds.share(0.05)
    """429: somebody runs into a limit."""
    denied: float = kinds.share(0.02)
    """401 and 403: expired credentials, or somebody who tries keys. Lower than the others, for an
    attacker is a small part of a large service's traffic."""
    unavailable: float = kinds.share(0.005)
    """503: something is exhausted. Half of what pages as errors, so the ticket comes first."""
    aborted: float = kinds.share(0.05)
    """Clients that leave before their response is there: they gave up waiting."""
    rise: float = kinds.factor(3)
    """How many times its own usual share, where there is one."""
    past: float = kinds.window(DAY)
    """The usual share is the mean of this long a past."""
    min_past: float = kinds.past(HOUR)
    """The newest past is left out, so that a rise does not become usual before it is told. A
    service without an older past has no usual share, and opens no ticket of this kind."""
