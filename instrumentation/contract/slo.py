"""Every number of the service levels: the seed of every rule and dashboard.

Durations are seconds, ratios are between 0 and 1, counts are requests. A number is changed here
and nowhere else; `python -m alerts` and `python -m dashboards` then carry it on.
"""

from __future__ import annotations

from typing import Final

_MINUTE: Final = 60
_HOUR: Final = 60 * _MINUTE
_DAY: Final = 24 * _HOUR
_WEEK: Final = 7 * _DAY

SCRAPE_INTERVAL_SECONDS: Final = 15
"""How often the services are scraped. Every window below holds at least four scrapes."""
EVALUATION_INTERVAL_SECONDS: Final = 15
"""How often the rules are evaluated: once for each scrape, so that none is skipped."""
USUAL_INTERVAL_SECONDS: Final = _MINUTE
"""How often a usual value is computed. It reads a whole day and moves slowly."""
MIN_SCRAPES_IN_WINDOW: Final = 4
"""A rate needs two samples; four survive the loss of two in a row."""
MAX_SCALE: Final = 10
"""The largest factor by which a drill may shorten windows, waits and intervals."""

PAST_WEEKS_SECONDS: Final = (1 * _WEEK, 2 * _WEEK, 3 * _WEEK)
"""How far back a usual value looks. The median of three weeks outvotes one holiday."""

# Latency -----------------------------------------------------------------------------------

LATENCY_OBJECTIVE_SECONDS: Final = 0.5
"""A request is fast enough when it takes no longer than this. A bucket bound, so exact."""
LATENCY_OBJECTIVE_RATIO: Final = 0.99
"""The share of requests that must be fast enough."""

TAIL_WINDOW_SECONDS: Final = 10 * _MINUTE
TAIL_FOR_SECONDS: Final = 5 * _MINUTE
TAIL_RATIO: Final = 3.0
"""A tail is long when p99 is more than this many times p50."""
TAIL_FLOOR_SECONDS: Final = 0.3
"""Below this p99 no user waits, however far away the median is."""
TAIL_MIN_REQUESTS: Final = 300
"""With fewer requests in the window, p99 is the work of three of them."""
TAIL_UNUSUAL: Final = 1.5
"""A service that always has a long tail pages only when it grows by this factor."""
TAIL_PAST_SECONDS: Final = _DAY
"""The usual ratio is the median of this long a past."""
TAIL_MIN_PAST_SECONDS: Final = _HOUR
"""The newest past is left out, so that a fault does not become its own usual value. A service
without an older past opens a ticket instead of paging."""

# Errors ------------------------------------------------------------------------------------

AVAILABILITY_OBJECTIVE_RATIO: Final = 0.999
"""The share of requests that must not fail with a 5xx."""
ERROR_STATUS: Final = "5.."
"""A regular expression: the statuses that are the service's own fault."""

ERROR_WINDOW_SECONDS: Final = 5 * _MINUTE
ERROR_FOR_SECONDS: Final = 2 * _MINUTE
ERROR_RATIO: Final = 0.01
ERROR_MIN_REQUESTS: Final = 100
"""With fewer requests in the window, one error is already more than 1 %."""
ERROR_MIN_ERRORS: Final = 5
"""Fewer errors than this are no pattern, whatever their share."""
ERROR_LONG_WINDOW_SECONDS: Final = _HOUR
"""Where the short window holds too few requests. Five errors among fewer than a hundred requests
are more than 5 %, so this window needs no floor under its requests."""
ERROR_RECENT_SECONDS: Final = 15 * _MINUTE
"""The long window speaks only while errors are this recent, so a mended service is not paged."""

# Traffic -----------------------------------------------------------------------------------

TRAFFIC_SAMPLE_SECONDS: Final = 2 * _MINUTE
"""How old the two newest scrapes may be that tell the rate of this moment."""
TRAFFIC_WINDOW_SECONDS: Final = 30 * _MINUTE
TRAFFIC_FOR_SECONDS: Final = 10 * _MINUTE
TRAFFIC_DROP: Final = 0.2
"""The share of the usual requests that must be missing."""
TRAFFIC_MIN_REQUESTS: Final = 800
"""The usual window must hold this many requests: chance then explains a drop of 20 % in fewer
than one window in a million (the standard deviation of a Poisson count of 800 is 3.5 %)."""
TRAFFIC_MEMORY_SECONDS: Final = _HOUR
"""A service that had requests within this time and has no series now is counted as zero."""

GONE_WINDOW_SECONDS: Final = 5 * _MINUTE
GONE_FOR_SECONDS: Final = 2 * _MINUTE
GONE_MIN_REQUESTS: Final = 20
"""Requests expected in the window: chance leaves 20 expected ones out once in 500 million."""
GONE_AROUND_SECONDS: Final = 30 * _MINUTE
"""Where past weeks were silent within a quarter of an hour of now, silence is no news."""

# Targets and telemetry ---------------------------------------------------------------------

TARGET_SAMPLE_SECONDS: Final = 2 * _MINUTE
"""An `up` older than this says nothing about the present."""
TARGET_FOR_SECONDS: Final = 2 * _MINUTE
TARGET_MEMORY_SECONDS: Final = _DAY
"""A job that was up within this time and has no `up` now is gone."""
SETTLE_SECONDS: Final = 5 * _MINUTE
"""After Prometheus or the collector was away, missing data are not taken for missing requests
for this long: the collector's retries wait up to 15 s, then two scrapes must arrive."""

COLLECTOR_JOB: Final = "otel-collector"
PROMETHEUS_JOB: Final = "prometheus"
TICKET_JOBS: Final = ("jaeger",)
"""Jobs whose loss no user feels and that blinds no alert: a ticket, not a page."""

# Objectives --------------------------------------------------------------------------------

OBJECTIVE_PERIOD_SECONDS: Final = 28 * _DAY
"""Four whole weeks, so that every period holds the same number of weekends."""
BURN_PAGES: Final = ((14.4, 1 * _HOUR, 5 * _MINUTE), (6.0, 6 * _HOUR, 30 * _MINUTE))
"""(burn rate, long window, short window) that page: 2 % and 5 % of the period's budget."""
BURN_TICKETS: Final = ((3.0, 1 * _DAY, 2 * _HOUR), (1.0, 3 * _DAY, 6 * _HOUR))
"""(burn rate, long window, short window) that open a ticket: 10 % of the period's budget."""
