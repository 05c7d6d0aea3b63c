"""What each recorded series is made of: the expressions of the recording rules.

Only a few read what services export, of which the buckets are the most, once and over the shortest
window; all else reads those. A mean of five-minute rates over an hour less five minutes spans
exactly an hour; what happened in its first and last five minutes counts less than the rest, in
proportion to its distance from the end.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from instrumentation.contract import promql, queries, slo
from instrumentation.contract import recorded as r
from instrumentation.contract.recorded import ROUTE, SERVICE

if TYPE_CHECKING:
    from instrumentation.contract.recorded import Level, Recorded
    from instrumentation.contract.slo import Numbers


def summed(quantity: Recorded) -> str:
    """A service's value as the sum of its routes'."""
    return promql.total(quantity.at(ROUTE), (*SERVICE.labels, *quantity.extra))


def errors(requests: Recorded, window: float) -> str:
    """Failed requests a second of each route; zero where there were requests and none failed."""
    failed = queries.failures(ROUTE.labels, window)
    return promql.zero_fill(failed, requests.at(ROUTE))


def quantile(q: float, buckets: str) -> str:
    """Duration that the share `q` did not exceed; nothing where there was no request."""
    return promql.present(promql.quantile_of(q, buckets))


def buckets(level: Level, window: float, numbers: Numbers) -> str:
    """Bucket rates over a window, as the mean of those that are recorded over a shorter one.

    Of the raw buckets, which are most of all series, only the shortest window is ever read.
    """
    base, name = numbers.errors.window, r.BUCKETS_5M.at(level)
    if window < base:
        return queries.judged_buckets(level.labels, window)
    return mean(name, window, base, every=numbers.intervals.usual)


def slow(timed: Recorded, window: float, seconds: float) -> str:
    """A service's judged requests a second that took longer; `timed` are all of them, recorded."""
    fast = queries.judged_fast(SERVICE.labels, window, seconds)
    # Two sums of the same numbers in another order differ in their last digit.
    return f"clamp_min({timed.at(SERVICE)} - {fast}, 0)"


def mean(name: str, window: float, base: float, every: float = 0) -> str:
    """Mean over a window of what is itself recorded over the shorter window `base`.

    Args:
        name: a recorded name.
        window: seconds.
        base: seconds; a mean over `window - base` of what spans `base` spans the window.
        every: how often it is recorded, where that is seldom: a range is open at its far end, so it
            must be that much longer to hold the recording from there.
    """
    return name if window <= base else promql.mean(name, window - base + every)


def ratio(part: Recorded, whole: Recorded, level: Level, window: float, base: float) -> str:
    """Share of events over a window, from rates recorded over the shorter window `base`.

    Both rates are weighed alike, so hours with many requests count more than quiet ones.
    """
    return f"{mean(part.at(level), window, base)}\n/ ({mean(whole.at(level), window, base)} > 0)"


def tail_ratio(level: Level, numbers: Numbers) -> str:
    """p99 divided by p50, where the window held enough requests to tell."""
    requests = f"{r.TIMED_10M.at(level)} * {numbers.tail.window:g}"
    return promql.every(
        f"{r.P99_10M.at(level)} / {r.P50_10M.at(level)}",
        f"{requests} >= {numbers.tail.min_requests:g}",
    )


def usual(quantity: Recorded, level: Level, numbers: Numbers) -> str:
    """What a quantity usually is; nothing for a service with less than an hour of past.

    The larger of two medians, so that neither a nightly batch nor a new release pages: the
    past day's, without its newest hour, and that of the same time in past weeks.
    """
    name = quantity.at(level)
    hour = promql.duration(numbers.tail.min_past)
    day = f"quantile_over_time(0.5, {name}[{promql.duration(numbers.tail.past)}] offset {hour})"
    return promql.largest((day, past_weeks(name, level)), level.labels)


def requests_now(numbers: Numbers) -> str:
    """Requests a second of this moment; zero for a service that had some and fell silent.

    It reads its own past for what is remembered.
    """
    latest = queries.latest_requests(SERVICE.labels, numbers.traffic.sample)
    name = r.REQUESTS_NOW.at(SERVICE)
    remembered = f"(max_over_time({name}[{promql.duration(numbers.traffic.memory)}]) > 0)"
    return promql.either(latest, f"0 * {remembered}\nunless on () ({telemetry_lost(numbers)})")


def requests_lately(numbers: Numbers) -> str:
    """Requests a second over the window; zero for a service that past weeks knew.

    The mean of what is recorded of each moment rather than a rate over the window: a rate reads
    low while the window is only partly filled, after a restart of Prometheus for example.
    """
    mean_now = promql.mean(r.REQUESTS_NOW.at(SERVICE), numbers.traffic.window)
    known = f"({r.REQUESTS_30M_USUAL.at(SERVICE)} > 0)"
    return promql.either(mean_now, f"0 * {known}\nunless on () ({telemetry_lost(numbers)})")


def usual_requests() -> str:
    """Requests a second in the same window of past weeks: their median."""
    return past_weeks(r.REQUESTS_30M.at(SERVICE), SERVICE)


def job_up(sample: float) -> str:
    """1 while a target of the job is up, 0 while all are down.

    Read from a short range: through the collector no staleness marker ends an `up` whose
    labels changed, and it would linger for five minutes.
    """
    latest = f"last_over_time({promql.selector('up')}[{promql.duration(sample)}])"
    return f"max by ({', '.join(SERVICE.labels)}) ({latest})"


def last_week(quantity: Recorded, level: Level) -> str:
    """A recorded value as it was a week ago."""
    return promql.earlier(quantity.at(level), slo.PAST_WEEKS_SECONDS[0])


def past_weeks(name: str, level: Level, shift: float = 0) -> str:
    """Median of a recorded series in past weeks at this time of the week, or `shift` s earlier."""
    weeks = [promql.earlier(name, seconds + shift) for seconds in slo.PAST_WEEKS_SECONDS]
    return promql.median(weeks, level.labels)


def telemetry_lost(numbers: Numbers) -> str:
    """Something, without labels, while missing data say nothing about the services.

    That is while no collector is up and for a while afterwards, and after a start of Prometheus.
    Where neither is scraped it is empty, and missing data count as missing requests.
    """
    settle = numbers.targets.settle
    collector = promql.selector("up", (promql.equals("job", slo.COLLECTOR_JOB),))
    prometheus = promql.selector(
        "process_start_time_seconds", (promql.equals("job", slo.PROMETHEUS_JOB),)
    )
    down = f"max(min_over_time({collector}[{promql.duration(settle)}])) == 0"
    started = f"time() - max({prometheus}) < {settle:g}"
    return f"{down} or {started}"
