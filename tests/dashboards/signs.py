"""Which panel of the Incident dashboard shows which cause."""

from __future__ import annotations

from dataclasses import dataclass

from instrumentation.contract import slo


@dataclass(frozen=True)
class Sign:
    """A query of the Incident dashboard that shows a cause from a level on."""

    title: str
    nth: int
    limit: float


_FULL = "Are threads, connections or the event loop used up?"
SIGNS = {
    "exhausted_threads": Sign(_FULL, 0, 1),
    "exhausted_pool": Sign(_FULL, 1, 1),
    "blocked_loop": Sign(_FULL, 2, slo.DEFAULTS.loop.blocked),
    "slow_dependency": Sign("Which dependency is slow?", 0, slo.DEFAULTS.dependency.slow),
    "bad_release": Sign("Which dependency fails?", 0, slo.DEFAULTS.dependency.failed),
}
"""What shows which trouble's cause."""
