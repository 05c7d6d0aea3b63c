"""What the recording rules would have written about the simulated traffic."""

from bisect import bisect_left, insort
from collections.abc import Iterator
from statistics import median

from instrumentation.contract import recorded, slo
from instrumentation.contract.buckets import DENSE
from stack.history.latency import quantile
from stack.history.series import ENVIRONMENT, spell
from stack.history.traffic import Group

STEP_SECONDS = 120
"""Prometheus looks back five minutes for a sample, and the shortest range that a drill reads in
the past is three."""

LEFT_OUT = (
    recorded.REQUESTS_NOW,
    recorded.UP,
    recorded.ROUTE_REQUESTS_30M,
    recorded.REQUESTS_6H,
    recorded.ERRORS_30M,
    recorded.SLOW_RATIO_USUAL,
    recorded.BUCKETS_5M,
    recorded.BUCKETS_1H,
    *recorded.ERROR_RATIO.values(),
    *(ratio for window, ratio in recorded.SLOW_RATIO.items() if window != "1h"),
    *recorded.QUANTILES.values(),
    *recorded.LAST_WEEK.values(),
    recorded.ABORTED_5M,
    recorded.DEPENDENCY_P95_5M,
    *recorded.RESPONSES_5M.values(),
)
"""The first two tell of this moment. The rules remember it for hours, so with a past of it they
would take each service that is still starting for one that fell silent or is gone. The others are
made of what has a past, or looked at for some hours only."""

_REQUESTS = recorded.REQUESTS_30M.operations
_USUAL_REQUESTS = recorded.REQUESTS_30M_USUAL.operations
_P50, _P99 = recorded.P50_10M.operations, recorded.P99_10M.operations
_TAIL = recorded.TAIL_10M.operations
_USUAL_TAIL = recorded.TAIL_10M_USUAL.operations
# Requests, errors where they are recorded, seconds.
_RATES = (
    (
        recorded.REQUESTS_5M.operations,
        recorded.ERRORS_5M.operations,
        slo.DEFAULTS.errors.window,
    ),
    (_REQUESTS, "", slo.DEFAULTS.traffic.window),
    (
        recorded.REQUESTS_1H.operations,
        recorded.ERRORS_1H.operations,
        slo.DEFAULTS.errors.long_window,
    ),
)
# Judged requests, the slow ones among them where they are recorded, seconds.
_TIMED = (
    (
        recorded.TIMED_5M.operations,
        recorded.SLOW_5M.operations,
        slo.DEFAULTS.errors.window,
    ),
    (recorded.TIMED_10M.operations, "", slo.DEFAULTS.tail.window),
    (
        recorded.TIMED_1H.operations,
        recorded.SLOW_1H.operations,
        slo.DEFAULTS.errors.long_window,
    ),
)
_SLOW_RATIO = recorded.SLOW_RATIO["1h"].operations
_FAST_BUCKETS = DENSE.index(slo.LATENCY_OBJECTIVE_SECONDS) + 1
_QUANTILES = ((_P50, 0.5), (recorded.P95_10M.operations, 0.95), (_P99, 0.99))

Values = dict[str, float | None]
"""Values by `Recorded.operations`."""


class RecordedSeries:
    """Everything that is recorded of one service or route.

    Args:
        group: where the values come from.
        environment: `deployment_environment_name`, or nothing.
    """

    def __init__(self, group: Group, environment: str) -> None:
        self._group = group
        labels = {"job": group.job, ENVIRONMENT: environment, "http_route": group.route}
        carried = {label: labels[label] for label in group.level.labels}
        self._series = {
            quantity.operations: spell(quantity.at(group.level), carried)
            for quantity in recorded.ALL
            if group.level in quantity.levels and quantity not in LEFT_OUT
        }
        self._requests = _Past()
        self._tails = _Past()
        self._day = _SlidingMedian()

    def lines(self, at: int) -> Iterator[str]:
        """Yield the samples of this moment; it must be one step after the one before."""
        values = self._values()
        for operations, series in self._series.items():
            value = values[operations]
            if value is not None:
                yield f"{series} {value:.9g} {at}\n"

    def _values(self) -> Values:
        values: Values = {}
        for requests, errors, window in _RATES:
            values[requests], failed = self._group.rates(int(window))
            if errors:
                values[errors] = failed
        for timed, slow, window in _TIMED:
            durations = self._group.durations(int(window))
            values[timed] = sum(durations) / window
            if slow:
                values[slow] = sum(durations[_FAST_BUCKETS:]) / window
        values[_SLOW_RATIO] = _share(values[_TIMED[-1][1]], values[_TIMED[-1][0]])
        lately = self._group.durations(int(slo.DEFAULTS.tail.window))
        for operations, q in _QUANTILES:
            values[operations] = quantile(q, lately)
        values[_TAIL] = _tail(values, sum(lately))
        self._remember(values)
        return values

    def _remember(self, values: Values) -> None:
        """Add what is usual: it is read from what was recorded before."""
        self._requests.append(values[_REQUESTS])
        self._tails.append(values[_TAIL])
        hour = slo.DEFAULTS.tail.min_past
        self._day.add(self._tails.ago(hour))
        self._day.remove(self._tails.ago(hour + slo.DEFAULTS.tail.past))
        known = [each for each in (self._day.value(), self._tails.usual()) if each is not None]
        values[_USUAL_TAIL] = max(known, default=None)
        values[_USUAL_REQUESTS] = self._requests.usual()


def _share(part: float | None, whole: float | None) -> float | None:
    return part / whole if whole and part is not None else None


def _tail(values: Values, requests: int) -> float | None:
    p50, p99 = values[_P50], values[_P99]
    if p50 is None or p99 is None or requests < slo.DEFAULTS.tail.min_requests:
        return None
    return p99 / p50


class _Past:
    """One value for each step."""

    def __init__(self) -> None:
        self._values: list[float | None] = []

    def append(self, value: float | None) -> None:
        self._values.append(value)

    def ago(self, seconds: float) -> float | None:
        steps = int(seconds) // STEP_SECONDS
        return self._values[-1 - steps] if steps < len(self._values) else None

    def usual(self) -> float | None:
        """Median of the past weeks at this time, as many as there are."""
        weeks = [self.ago(seconds) for seconds in slo.PAST_WEEKS_SECONDS]
        known = [value for value in weeks if value is not None]
        return median(known) if known else None


class _SlidingMedian:
    """The median of values that come and go."""

    def __init__(self) -> None:
        self._sorted: list[float] = []

    def add(self, value: float | None) -> None:
        if value is not None:
            insort(self._sorted, value)

    def remove(self, value: float | None) -> None:
        if value is not None:
            del self._sorted[bisect_left(self._sorted, value)]

    def value(self) -> float | None:
        if not self._sorted:
            return None
        middle = len(self._sorted) // 2
        # Both middle ones where their number is even.
        return (self._sorted[middle] + self._sorted[~middle]) / 2
