"""Every question that a rule or a panel asks, as a function named after its answer.

The first half reads what services export; the second half reads recorded series and holds the
guards of the symptoms, whose numbers they are given. Windows are seconds or Grafana's own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from instrumentation.contract import promql, recorded, slo
from instrumentation.contract.metrics import HTTP_SERVER_REQUEST_DURATION as REQUEST_DURATION

if TYPE_CHECKING:
    from collections.abc import Sequence

    from instrumentation.contract.promql import Window
    from instrumentation.contract.recorded import Level, Recorded
    from instrumentation.contract.slo import Numbers

_ERRORS = promql.matches("http_response_status_code", slo.ERROR_STATUS)


def request_rate(by: Sequence[str], window: Window, matchers: Sequence[str] = ()) -> str:
    """Requests a second."""
    return promql.observations(REQUEST_DURATION, window, by, matchers)


def error_rate(by: Sequence[str], window: Window, matchers: Sequence[str] = ()) -> str:
    """Requests a second that failed with a 5xx; zero where there were requests and none did."""
    errors = promql.observations(REQUEST_DURATION, window, by, (*matchers, _ERRORS))
    return promql.zero_fill(errors, request_rate(by, window, matchers))


def error_ratio(by: Sequence[str], window: Window, matchers: Sequence[str] = ()) -> str:
    """Share of requests that failed with a 5xx, from 0 to 1."""
    return f"{error_rate(by, window, matchers)} / {request_rate(by, window, matchers)}"


def slow_ratio(by: Sequence[str], window: Window, matchers: Sequence[str] = ()) -> str:
    """Share of requests that took longer than the latency objective, from 0 to 1."""
    fast = promql.at_most(REQUEST_DURATION, slo.LATENCY_OBJECTIVE_SECONDS, window, by, matchers)
    return f"1 - {fast} / {request_rate(by, window, matchers)}"


def duration_quantile(
    q: float, by: Sequence[str], window: Window, matchers: Sequence[str] = ()
) -> str:
    """Duration in seconds that the share `q` of requests did not exceed."""
    return promql.quantile(q, REQUEST_DURATION, window, by, matchers)


def tail_ratio(level: Level, numbers: Numbers) -> str:
    """p99 divided by p50, where the window held enough requests to tell.

    Recorded: `recorded.TAIL_10M`.
    """
    requests = _count(recorded.REQUESTS_10M, level, numbers.tail.window)
    enough = f"{requests} >= {numbers.tail.min_requests:g}"
    return promql.every(f"{recorded.P99_10M.at(level)} / {recorded.P50_10M.at(level)}", enough)


def usual_tail_ratio(level: Level, numbers: Numbers) -> str:
    """What the tail ratio usually is; nothing for a service with less than an hour of past.

    The larger of two medians, so that neither a nightly batch nor a new release pages: the
    past day's, without its newest hour, and that of the same time in past weeks.
    """
    name = recorded.TAIL_10M.at(level)
    hour = promql.duration(numbers.tail.min_past)
    day = f"quantile_over_time(0.5, {name}[{promql.duration(numbers.tail.past)}] offset {hour})"
    return promql.largest((day, _past_weeks(name, level)), level.labels)


def long_tail(level: Level, numbers: Numbers) -> str:
    """Tail ratio where it is long and slow enough for a user to notice."""
    return promql.every(
        f"{recorded.TAIL_10M.at(level)} > {numbers.tail.ratio:g}",
        f"{recorded.P99_10M.at(level)} > {numbers.tail.floor:g}",
    )


def unusual_tail(level: Level, numbers: Numbers) -> str:
    """Tail ratio where it is long, and well above what is usual."""
    usual = f"{numbers.tail.unusual:g} * {recorded.TAIL_10M_USUAL.at(level)}"
    return promql.every(long_tail(level, numbers), f"{recorded.TAIL_10M.at(level)} >= {usual}")


def long_tail_without_past(level: Level, numbers: Numbers) -> str:
    """Tail ratio where it is long, and nobody can say yet what is usual."""
    return f"{long_tail(level, numbers)}\nunless {recorded.TAIL_10M_USUAL.at(level)}"


def high_error_ratio(level: Level, numbers: Numbers) -> str:
    """Share of failed requests where it is too high, over the long window where few came."""
    errors = numbers.errors
    requests = _count(recorded.REQUESTS_5M, level, errors.window)
    enough = f"{requests} >= {errors.min_requests:g}"
    short = (recorded.ERRORS_5M, recorded.REQUESTS_5M, errors.window)
    now = promql.every(_errors_beyond_objective(*short, level, numbers), enough)
    recent = f"{recorded.ERRORS_5M.at(level)}[{promql.duration(errors.recent)}]"
    long = (recorded.ERRORS_1H, recorded.REQUESTS_1H, errors.long_window)
    slowly = promql.every(
        _errors_beyond_objective(*long, level, numbers), f"max_over_time({recent}) > 0"
    )
    return promql.either(now, f"{slowly}\nunless {enough}")


def requests_now(numbers: Numbers) -> str:
    """Requests a second of this moment; zero for a service that had some and fell silent.

    Recorded: `recorded.REQUESTS_NOW`, which it reads for what is remembered.
    """
    by = recorded.SERVICE.labels
    latest = promql.latest_observations(REQUEST_DURATION, numbers.traffic.sample, by)
    name = recorded.REQUESTS_NOW.at(recorded.SERVICE)
    remembered = f"(max_over_time({name}[{promql.duration(numbers.traffic.memory)}]) > 0)"
    lost = telemetry_lost(numbers)
    return promql.either(latest, f"0 * {remembered}\nunless on () ({lost})")


def requests_lately(numbers: Numbers) -> str:
    """Requests a second over the window; zero for a service that past weeks knew.

    The mean of `recorded.REQUESTS_NOW` rather than a rate over the window: a rate reads low
    while the window is only partly filled, after a restart of Prometheus for example.
    """
    window = promql.duration(numbers.traffic.window)
    mean = f"avg_over_time({recorded.REQUESTS_NOW.at(recorded.SERVICE)}[{window}])"
    known = f"({recorded.REQUESTS_30M_USUAL.at(recorded.SERVICE)} > 0)"
    return promql.either(mean, f"0 * {known}\nunless on () ({telemetry_lost(numbers)})")


def usual_requests() -> str:
    """Requests a second in the same window of past weeks: their median."""
    return _past_weeks(recorded.REQUESTS_30M.at(recorded.SERVICE), recorded.SERVICE)


def traffic_drop(numbers: Numbers) -> str:
    """Share of the usual requests that is missing, where it is too large to be chance."""
    level = recorded.SERVICE
    lately, usual = recorded.REQUESTS_30M.at(level), recorded.REQUESTS_30M_USUAL.at(level)
    expected = _count(recorded.REQUESTS_30M_USUAL, level, numbers.traffic.window)
    enough = f"{expected} >= {numbers.traffic.min_requests:g}"
    return promql.every(f"1 - {lately} / {usual} > {numbers.traffic.drop:g}", enough)


def traffic_gone(numbers: Numbers) -> str:
    """Requests in a window of the time before, where none come any more and some should."""
    window, least = numbers.silence.window, numbers.silence.min_requests
    now = recorded.REQUESTS_NOW.at(recorded.SERVICE)
    before = f"avg_over_time({now}[{promql.duration(numbers.traffic.memory)}]) * {window:g}"
    gone = promql.every(
        f"{before} >= {least:g}", f"max_over_time({now}[{promql.duration(window)}]) == 0"
    )
    return f"{gone}\nunless {usual_low(numbers.silence.around)} * {window:g} < {least:g}"


def usual_low(around: float) -> str:
    """Requests a second that past weeks fell to around this time, `around` seconds in all.

    Nobody leaves at the same second each day, so the time before and after counts too.
    """
    name = recorded.REQUESTS_5M.at(recorded.SERVICE)
    lows = [
        f"min_over_time({name}[{promql.duration(around)}] "
        f"offset {promql.duration(seconds - around / 2)})"
        for seconds in slo.PAST_WEEKS_SECONDS
    ]
    return promql.median(lows, recorded.SERVICE.labels)


def job_up(sample: float) -> str:
    """1 while a target of the job is up, 0 while all are down.

    Read from a short range: through the collector no staleness marker ends an `up` whose
    labels changed, and it would linger for five minutes.
    """
    latest = f"last_over_time({promql.selector('up')}[{promql.duration(sample)}])"
    return f"max by ({', '.join(recorded.SERVICE.labels)}) ({latest})"


def target_gone(numbers: Numbers, matchers: Sequence[str] = ()) -> str:
    """0 for a job whose targets are all down, 1 for one that was up and has no target now.

    An `up` that comes through the collector loses its environment with the first scrape that
    fails, so a job that was up is named with the labels that it had then.
    """
    up = promql.selector(recorded.UP.at(recorded.SERVICE), matchers)
    was_up = f"max_over_time({up}[{promql.duration(numbers.targets.memory)}]) == 1"
    down = f"0 * ({was_up}\nunless {up} == 1\nand on (job) {up} == 0)"
    never_up = f"{up} == 0\nunless on (job) {was_up}"
    vanished = f"{was_up}\nunless on (job) {up}\nunless on () ({telemetry_lost(numbers)})"
    return promql.either(down, never_up, vanished)


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


def naive_tail(level: Level, numbers: Numbers) -> str:
    """p99 divided by p50 where it is above the threshold, however few or fast the requests."""
    ratio = f"{recorded.P99_10M.at(level)} / {recorded.P50_10M.at(level)}"
    return f"{ratio} > {numbers.tail.ratio:g}"


def naive_errors(level: Level, numbers: Numbers) -> str:
    """Share of failed requests where it is above the threshold, however few the requests."""
    ratio = f"{recorded.ERRORS_5M.at(level)} / {recorded.REQUESTS_5M.at(level)}"
    return f"{ratio} > {numbers.errors.ratio:g}"


def naive_traffic_drop(level: Level, numbers: Numbers) -> str:
    """Share of last week's requests that is missing, however few or unusual they were."""
    name = recorded.REQUESTS_30M.at(level)
    last_week = promql.earlier(name, slo.PAST_WEEKS_SECONDS[0])
    return f"1 - {name} / {last_week} > {numbers.traffic.drop:g}"


def _count(quantity: Recorded, level: Level, window: float) -> str:
    return f"{quantity.at(level)} * {window:g}"


def _past_weeks(name: str, level: Level) -> str:
    weeks = [promql.earlier(name, seconds) for seconds in slo.PAST_WEEKS_SECONDS]
    return promql.median(weeks, level.labels)


def _errors_beyond_objective(
    errors: Recorded, requests: Recorded, window: float, level: Level, numbers: Numbers
) -> str:
    return promql.every(
        f"{errors.at(level)} / {requests.at(level)} > {numbers.errors.ratio:g}",
        f"{_count(errors, level, window)} >= {numbers.errors.min_errors:g}",
    )
