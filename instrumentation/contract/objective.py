"""What users are promised of a request's duration.

It stands apart from the numbers of the rules, because a service that is observed needs its buckets
and none of the rules.
"""

from __future__ import annotations

from typing import Final

LATENCY_OBJECTIVE_SECONDS: Final = 0.5
"""A request is fast enough when it takes no longer than this. A bucket bound, so exact."""
