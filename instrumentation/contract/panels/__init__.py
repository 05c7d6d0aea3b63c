"""What the dashboards ask, as functions named after the answers; `queries` holds what rules share.

Each takes the matchers that a dashboard's variables make, and a window where there is a choice.
"""

from __future__ import annotations

from typing import Final

from instrumentation.contract.panels import pipeline

EXTERNAL: Final = ("ALERTS", "ALERTS_FOR_STATE", *pipeline.EXTERNAL)
"""Names that Prometheus and the other backends write."""
