"""Words and numbers that panels of several dashboards share."""

from __future__ import annotations

from typing import Final

from dashboards import links
from instrumentation.contract import promql, slo

WINDOW: Final = promql.RATE_INTERVAL
LEGEND: Final = "{{job}} {{deployment_environment_name}}"
LATENCY: Final = slo.DEFAULTS.objectives.latency
SLOWER: Final = f"{LATENCY * 1000:g}ms"
JOB: Final = links.line("job")
PAST: Final = "The dashed line is the same time a week ago, of all instances and routes."
NO_REQUESTS: Final = "No request in this range, or nothing is scraped"
