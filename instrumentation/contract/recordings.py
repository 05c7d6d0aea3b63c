"""What each recorded series is made of: the expressions of the recording rules.

Only the first few read what services export, each series once; all else reads those. A mean of
five-minute rates over an hour less five minutes spans exactly an hour; what happened in its first
and last five minutes counts less than the rest, in proportion to its distance from the end.
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
    return promql.total(quantity.at(ROUTE), SERVICE.labels)


def errors(quantity: Recorded, requests: Recorded, window: float) -> str:
    """Failed requests a second of each route; zero where there were requests and none failed."""
    failed = queries.failures(ROUTE.labels, window)
    return promql.zero_fill(failed, requests.at(ROUTE))


def quantile(q: float, buckets: str, level: Level) -> str:
    """Duration that the share `q` did not exceed; nothing where there was no request.

    Args:
        q: from 0 to 1.
        buckets: a recorded name of bucket rates, or an expression made of one.
        level: a service's is estimated from the sum of its routes' buckets.
    """
    whole = promql.total(buckets, (*level.labels, "le")) if level is SERVICE else buckets
    return promql.present(promql.quantile_of(q, whole))


def mean(name: str, window: float, base: float) -> str:
    """Mean over a window of what is itself recorded over the shorter window `base`."""
    return name if window <= base else promql.mean(name, window - base)


def ratio(part: Recorded, whole: Recorded, level: Level, window: float, base: float) -> str:
    """Share of events over a window, from rates recorded over the shorter window `base`.

    Both rates are weighed alike, so hours with many requests count more than quiet ones.
    """
    return f"{mean(part.at(level), window, base)}\n/ ({mean(whole.at(level), window, base)} > 0)"


def judged_buckets(numbers: Numbers) -> str:
    """Bucket rates of each route over the tail's window.

    Of the raw buckets, which are most of all series, only five minutes are read: ten are the mean
    of these and of those before. A young series was at zero before it appeared, as `rate` has it.
    """
    window, base = numbers.tail.window, numbers.errors.window
    if window != 2 * base:
        return queries.judged_buckets(ROUTE.labels, window)
    name = r.BUCKETS["5m"].at(ROUTE)
    before = promql.zero_fill(promql.earlier(name, base), name)
    return f"({name} + {before}) / 2"


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
