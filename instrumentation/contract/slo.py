"""Every number of the service levels: the seed of every rule and dashboard."""

from __future__ import annotations

from typing import Final

LATENCY_OBJECTIVE_SECONDS: Final = 0.5
"""A request is fast enough when it takes no longer than this. A bucket bound, so exact."""
