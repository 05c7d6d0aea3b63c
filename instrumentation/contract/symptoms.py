"""What each symptom's alert asks of the recorded series, with the guards that hold it back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from instrumentation.contract import promql, recordings, slo
from instrumentation.contract import recorded as r
from instrumentation.contract.recorded import SERVICE
from instrumentation.contract.slo.kinds import HOUR

if TYPE_CHECKING:
    from collections.abc import Sequence

    from instrumentation.contract.recorded import Level, Recorded
    from instrumentation.contract.slo import Numbers


def long_tail(level: Level, numbers: Numbers) -> str:
    """Tail ratio where it is long and slow enough for a user to notice."""
    return promql.every(
        f"{r.TAIL_10M.at(level)} > {numbers.tail.ratio:g}",
        f"{r.P99_10M.at(level)} > {numbers.tail.floor:g}",
    )


def unusual_tail(level: Level, numbers: Numbers) -> str:
    """Tail ratio where it is long, and well above what is usual."""
    usual = f"{numbers.tail.unusual:g} * {r.TAIL_10M_USUAL.at(level)}"
    return promql.every(long_tail(level, numbers), f"{r.TAIL_10M.at(level)} >= {usual}")


def unusual_tail_of_service(numbers: Numbers) -> str:
    """The same of services, but for those whose few slow requests are as many as ever."""
    return f"{unusual_tail(SERVICE, numbers)}\nunless ({rarely_slow(numbers)})"


def rarely_slow(numbers: Numbers) -> str:
    """Services with hardly more slow requests than usual, where these are few.

    Where about one request in a hundred is slow by nature, as an export is, chance decides whether
    p99 is one of them: it jumps from window to window, and their number does not.
    """
    tail, levels = numbers.tail, numbers.objectives
    usual = r.SLOW_RATIO_USUAL.at(SERVICE)
    slow, timed = (
        recordings.mean(each.at(SERVICE), tail.window, numbers.errors.window)
        for each in (r.SLOW_5M, r.TIMED_5M)
    )
    # p99 is the fastest of the slow ones then, and may just meet the objective.
    among_them = promql.either(
        f"{r.P99_10M.at(SERVICE)} > {levels.latency:g}", f"{usual} >= {tail.rare / 8:g}"
    )
    return promql.every(
        f"({among_them})",
        f"({slow} - {tail.more:g} * {usual} * {timed}) * {tail.window:g} < {levels.min_bad:g}",
        f"{usual} < {tail.rare:g}",
    )


def long_tail_without_past(level: Level, numbers: Numbers) -> str:
    """Tail ratio where it is long, and nobody can say yet what is usual."""
    return f"{long_tail(level, numbers)}\nunless {r.TAIL_10M_USUAL.at(level)}"


def high_error_ratio(level: Level, numbers: Numbers) -> str:
    """Share of failed requests where it is too high, over the long window where few came."""
    errors = numbers.errors
    enough = f"{_count(r.REQUESTS_5M, level, errors.window)} >= {errors.min_requests:g}"
    short = (r.ERRORS_5M, r.REQUESTS_5M, errors.window)
    now = promql.every(_errors_beyond_objective(*short, level, numbers), enough)
    recent = f"{r.ERRORS_5M.at(level)}[{promql.duration(errors.recent)}]"
    long = (r.ERRORS_1H, r.REQUESTS_1H, errors.long_window)
    slowly = promql.every(
        _errors_beyond_objective(*long, level, numbers), f"max_over_time({recent}) > 0"
    )
    return promql.either(now, f"{slowly}\nunless {enough}")


def traffic_drop(numbers: Numbers) -> str:
    """Share of the usual requests that is missing, where it is too large to be chance."""
    lately, usual = r.REQUESTS_30M.at(SERVICE), r.REQUESTS_30M_USUAL.at(SERVICE)
    expected = _count(r.REQUESTS_30M_USUAL, SERVICE, numbers.traffic.window)
    missing = promql.every(
        f"1 - {lately} / {usual} > {numbers.traffic.drop:g}",
        f"{expected} >= {numbers.traffic.min_requests:g}",
    )
    return f"{missing}\nunless {clock_changed(numbers)}\nunless ({punctual(numbers)})"


def punctual(numbers: Numbers) -> str:
    """Services with the requests that past weeks had some minutes earlier or later.

    Nobody leaves an office at the same minute each day, or comes: whoever leaves early is not
    lost. On the slopes of most days traffic changes by a few percent in that time, which explains
    no loss: today's requests must be as many as those, give or take half of a drop.
    """
    around = numbers.traffic.around
    return _as_many_as(1 - numbers.traffic.drop / 2, -around, around)


def clock_changed(numbers: Numbers) -> str:
    """Services with the requests that past weeks had an hour earlier or later, when clocks change.

    Users keep to their clock, Prometheus keeps to UTC: for three weeks "the same time" is an hour
    off, which on a steep slope of the day looks like a loss.
    """
    shifted = _as_many_as(1 - numbers.traffic.drop, HOUR, -HOUR)
    months = " or ".join(f"month() == {month}" for month in slo.CLOCK_CHANGE_MONTHS)
    return f"(({shifted})\nand on () ({months}))"


def traffic_gone(numbers: Numbers) -> str:
    """Requests in a window of the time before, where none come any more and some should."""
    window, least = numbers.silence.window, numbers.silence.min_requests
    now = r.REQUESTS_NOW.at(SERVICE)
    before = f"{promql.mean(now, numbers.traffic.memory)} * {window:g}"
    gone = promql.every(
        f"{before} >= {least:g}", f"max_over_time({now}[{promql.duration(window)}]) == 0"
    )
    # Where rules are evaluated less often than services are scraped, the two newest scrapes tell of
    # a part of the requests only, and a handful that come in clumps fall between.
    still_some = f"{r.REQUESTS_5M.at(SERVICE)} > 0"
    quiet = f"{usual_low(numbers.silence.around)} * {window:g} < {least:g}"
    return f"{gone}\nunless {still_some}\nunless {quiet}\nunless ({often_silent(numbers)})"


def usual_low(around: float) -> str:
    """Requests a second that past weeks fell to around this time, `around` seconds in all.

    Nobody leaves at the same second each day, so the time before and after counts too.
    """
    name = r.REQUESTS_5M.at(SERVICE)
    lows = [
        f"min_over_time({name}[{promql.duration(around)}] "
        f"offset {promql.duration(seconds - around / 2)})"
        for seconds in slo.PAST_WEEKS_SECONDS
    ]
    return promql.median(lows, SERVICE.labels)


def often_silent(numbers: Numbers) -> str:
    """Zero for services that had no request for a good part of the past day, and no past week."""
    silence, name = numbers.silence, r.REQUESTS_5M.at(SERVICE)
    day = f"{name}[{promql.duration(silence.past)}] offset {promql.duration(HOUR)}"
    week = promql.earlier(name, slo.PAST_WEEKS_SECONDS[0])
    return f"quantile_over_time({silence.often:g}, {day}) == 0 unless {week}"


def target_gone(numbers: Numbers, matchers: Sequence[str] = ()) -> str:
    """0 for a job whose targets are all down, 1 for one that was up and has no target now.

    An `up` that comes through the collector loses its environment with the first scrape that
    fails, so a job that was up is named with the labels that it had then.
    """
    up = promql.selector(r.UP.at(SERVICE), matchers)
    was_up = f"max_over_time({up}[{promql.duration(numbers.targets.memory)}]) == 1"
    down = f"0 * ({was_up}\nunless {up} == 1\nand on (job) {up} == 0)"
    never_up = f"{up} == 0\nunless on (job) {was_up}"
    lost = recordings.telemetry_lost(numbers)
    vanished = f"{was_up}\nunless on (job) {up}\nunless on () ({lost})"
    return promql.either(down, never_up, vanished)


def naive_tail(level: Level, numbers: Numbers) -> str:
    """p99 divided by p50 where it is above the threshold, however few or fast the requests."""
    return f"{r.P99_10M.at(level)} / {r.P50_10M.at(level)} > {numbers.tail.ratio:g}"


def naive_errors(level: Level, numbers: Numbers) -> str:
    """Share of failed requests where it is above the threshold, however few the requests."""
    return f"{r.ERRORS_5M.at(level)} / {r.REQUESTS_5M.at(level)} > {numbers.errors.ratio:g}"


def naive_traffic_drop(level: Level, numbers: Numbers) -> str:
    """Share of last week's requests that is missing, however few or unusual they were."""
    name = r.REQUESTS_30M.at(level)
    last_week = promql.earlier(name, slo.PAST_WEEKS_SECONDS[0])
    return f"1 - {name} / {last_week} > {numbers.traffic.drop:g}"


def _as_many_as(share: float, *shifts: float) -> str:
    # A product, for where past weeks had none, none are as many.
    lately = r.REQUESTS_30M.at(SERVICE)
    pasts = (recordings.past_weeks(lately, SERVICE, shift) for shift in shifts)
    return promql.either(*(f"{lately} >= {share:g} * {past}" for past in pasts))


def _count(quantity: Recorded, level: Level, window: float) -> str:
    return f"{quantity.at(level)} * {window:g}"


def _errors_beyond_objective(
    errors: Recorded, requests: Recorded, window: float, level: Level, numbers: Numbers
) -> str:
    return promql.every(
        f"{errors.at(level)} / {requests.at(level)} > {numbers.errors.ratio:g}",
        f"{_count(errors, level, window)} >= {numbers.errors.min_errors:g}",
    )
