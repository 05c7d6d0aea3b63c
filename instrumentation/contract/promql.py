"""PromQL in small pieces; the only module that knows how a histogram is stored.

Every histogram query goes through `quantile`, `observations`, `latest_observations`, `at_most`,
`bucket_rates` and what reads these once they are recorded: a second way of storing histograms
(native ones) is added here alone. Expressions are plain strings; each function returns one that
may stand inside another without parentheses of the caller's, unless its docstring says otherwise.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from instrumentation.contract.metrics import Metric

RATE_INTERVAL: Final = "$__rate_interval"
"""Grafana's own window: at least four scrapes, at least one pixel."""
RANGE: Final = "$__range"
"""The whole range that is looked at."""

_UNION: Final = "\n  or "

Labels = tuple[tuple[str, str], ...]
"""Names and values."""

Window = float | Literal["$__rate_interval", "$__range"]
"""Seconds, or one of Grafana's own windows."""

_UNITS: Final = (("w", 604_800_000), ("d", 86_400_000), ("h", 3_600_000), ("m", 60_000),
                 ("s", 1000), ("ms", 1))  # fmt: skip


def duration(window: Window) -> str:
    """Spell a window as PromQL does: `duration(90)` is `1m30s`.

    Raises ValueError for a time that is not at least one whole millisecond.
    """
    if isinstance(window, str):
        return window
    rest = round(window * 1000)
    if rest < 1:
        raise ValueError(f"window: must be at least 1 ms, not {window} s")
    parts = []
    for unit, milliseconds in _UNITS:
        count, rest = divmod(rest, milliseconds)
        if count:
            parts.append(f"{count}{unit}")
    return "".join(parts)


def bound(seconds: float) -> str:
    """Spell a bucket's bound as its `le` label does.

    Raises ValueError for a whole number, which is spelled in two ways (`1` and `1.0`).
    """
    if float(seconds).is_integer():
        raise ValueError(f"bound: must not be a whole number of seconds, not {seconds}")
    return repr(float(seconds))


def equals(label: str, value: str) -> str:
    """Match a label's exact value."""
    return f'{label}="{_escaped(value)}"'


def matches(label: str, pattern: str) -> str:
    """Match a label by a regular expression, which may be a Grafana variable."""
    return f'{label}=~"{_escaped(pattern)}"'


def differs(label: str, pattern: str) -> str:
    """Leave out a label's values that match a regular expression."""
    return f'{label}!~"{_escaped(pattern)}"'


def selector(name: str, matchers: Iterable[str] = ()) -> str:
    """Select series by name and matchers, in the order given."""
    inside = ", ".join(matchers)
    return f"{name}{{{inside}}}" if inside else name


def total(expression: str, by: Sequence[str]) -> str:
    """Sum what is left after keeping the labels `by`."""
    return f"sum by ({', '.join(by)}) ({expression})"


def rate(metric: Metric, window: Window, by: Sequence[str], matchers: Iterable[str] = ()) -> str:
    """Tell a counter's events a second.

    Raises ValueError for a metric that is not a counter.
    """
    _demand(metric, "counter")
    return total(f"rate({selector(metric.name, matchers)}[{duration(window)}])", by)


def observations(
    metric: Metric, window: Window, by: Sequence[str], matchers: Iterable[str] = ()
) -> str:
    """Tell a histogram's observations a second."""
    return total(f"rate({_count(metric, matchers)}[{duration(window)}])", by)


def latest_observations(
    metric: Metric, window: Window, by: Sequence[str], matchers: Iterable[str] = ()
) -> str:
    """Tell a histogram's observations a second between its two newest scrapes in the window.

    Unlike `observations` it does not read low while a series is younger than the window.
    """
    return total(f"irate({_count(metric, matchers)}[{duration(window)}])", by)


def at_most(
    metric: Metric,
    seconds: float,
    window: Window,
    by: Sequence[str],
    matchers: Iterable[str] = (),
) -> str:
    """Tell the observations a second that took no longer than `seconds`.

    Raises ValueError unless `seconds` is one of the metric's bounds: anything else would be a
    guess between two of them.
    """
    _demand(metric, "histogram")
    if seconds not in metric.buckets:
        raise ValueError(f"seconds: must be a bound of {metric.name}, not {seconds}")
    chosen = (*matchers, equals("le", bound(seconds)))
    return total(f"rate({selector(f'{metric.name}_bucket', chosen)}[{duration(window)}])", by)


def quantile(
    q: float, metric: Metric, window: Window, by: Sequence[str], matchers: Iterable[str] = ()
) -> str:
    """Estimate the q-quantile of a histogram, in the metric's unit; NaN without observations."""
    _demand(metric, "histogram")
    series = selector(f"{metric.name}_bucket", matchers)
    buckets = total(f"rate({series}[{duration(window)}])", (*by, "le"))
    return f"histogram_quantile({q:g}, {buckets})"


def bucket_rates(
    metric: Metric, window: Window, by: Sequence[str], matchers: Iterable[str] = ()
) -> str:
    """Tell a histogram's observations a second at or below each bound, for recording.

    What is recorded so is read by `quantile_of`.
    """
    _demand(metric, "histogram")
    series = selector(f"{metric.name}_bucket", matchers)
    return total(f"rate({series}[{duration(window)}])", (*by, "le"))


def quantile_of(q: float, buckets: str) -> str:
    """Estimate the q-quantile of `bucket_rates`, recorded or derived from recorded ones."""
    return f"histogram_quantile({q:g}, {buckets})"


def label_values(metric: Metric, label: str, matchers: Iterable[str] = ()) -> str:
    """Ask Grafana (this is none of PromQL) for the values of a histogram's label."""
    return f"label_values({_count(metric, matchers)}, {label})"


def zero_fill(expression: str, whole: str) -> str:
    """Count as zero, with its labels, each series that `whole` has and `expression` lacks.

    `or vector(0)` would lose the labels, and with them the alert's job.
    """
    return f"({expression} or 0 * {whole})"


def present(expression: str) -> str:
    """Leave out NaN, the quantile of no observation: it would spoil every median of the past.

    Nothing that this project records is negative.
    """
    return f"({expression} >= 0)"


def earlier(name: str, seconds: float) -> str:
    """Read a recorded series as it was `seconds` ago."""
    return f"{name} offset {duration(seconds)}"


def mean(name: str, window: float) -> str:
    """Take the mean of a recorded series over a window, in seconds."""
    return f"avg_over_time({name}[{duration(window)}])"


def median(expressions: Sequence[str], by: Sequence[str]) -> str:
    """Take the median of as many of the expressions as have a value, for each set of labels.

    The label `nth` keeps the expressions' series apart until then.
    """
    labelled = (
        f'label_replace({expression}, "nth", "{nth}", "", "")'
        for nth, expression in enumerate(expressions, start=1)
    )
    return f"quantile by ({', '.join(by)}) (0.5, {_UNION.join(labelled)})"


def largest(expressions: Sequence[str], by: Sequence[str]) -> str:
    """Take the largest of as many of the expressions as have a value, for each set of labels."""
    labelled = (
        f'label_replace({expression}, "nth", "{nth}", "", "")'
        for nth, expression in enumerate(expressions, start=1)
    )
    return f"max by ({', '.join(by)}) ({_UNION.join(labelled)})"


def spent(metric: Metric, window: Window, by: Sequence[str], matchers: Iterable[str] = ()) -> str:
    """Tell a histogram's sum for each second of the window: of a duration, the share of time."""
    _demand(metric, "histogram")
    return total(f"rate({selector(f'{metric.name}_sum', matchers)}[{duration(window)}])", by)


def events(metric: Metric, window: float, by: Sequence[str], matchers: Iterable[str] = ()) -> str:
    """Count a counter's or a histogram's events in the window, a new series' first ones included.

    See `counted`.
    """
    name = metric.name if metric.kind == "counter" else f"{metric.name}_count"
    return counted(selector(name, matchers), window, by)


def counted(series: str, window: Window, by: Sequence[str]) -> str:
    """Count the events in the window of counters that may begin with their first event.

    `increase` can't see that one. So a series that began within the window counts in full,
    provided that its process was known before: what appears with a new process, or after a hole
    in the data, may be old.
    """
    span = duration(window)
    begun = (
        f"last_over_time({series}[{span}]) unless {series} offset {span} "
        f"and on (job, instance) target_info offset {span}"
    )
    return total(f"({begun}) or increase({series}[{span}])", by)


def added(expressions: Sequence[str], by: Sequence[str]) -> str:
    """Add as many of the expressions as have a value, for each set of labels."""
    labelled = (
        f'label_replace({expression}, "nth", "{nth}", "", "")'
        for nth, expression in enumerate(expressions, start=1)
    )
    return f"sum by ({', '.join(by)}) ({_UNION.join(labelled)})"


def only(expression: str, labels: Labels) -> str:
    """Keep an expression's series that have all of these labels."""
    names = ", ".join(name for name, _ in labels)
    return f"({expression})\nand on ({names}) {_literal(labels)}"


def without(expression: str, several: Sequence[Labels]) -> str:
    """Leave out an expression's series that have all of these labels, for any of several sets."""
    for labels in several:
        names = ", ".join(name for name, _ in labels)
        expression = f"({expression})\nunless on ({names}) {_literal(labels)}"
    return expression


def _literal(labels: Labels) -> str:
    """One series with these labels: PromQL can match a selector's labels, no expression's."""
    series = "vector(1)"
    for name, value in labels:
        series = f'label_replace({series}, "{name}", "{_escaped(value)}", "", "")'
    return series


def every(*conditions: str) -> str:
    """Keep the first condition's series where all the others hold too."""
    return "\nand ".join(conditions)


def either(*alternatives: str) -> str:
    """Keep what the first alternative says, and what the others add."""
    return "\nor ".join(f"({alternative})" for alternative in alternatives)


def _count(metric: Metric, matchers: Iterable[str]) -> str:
    _demand(metric, "histogram")
    return selector(f"{metric.name}_count", matchers)


def _demand(metric: Metric, kind: str) -> None:
    if metric.kind != kind:
        raise ValueError(f"metric: must be a {kind}; {metric.name} is a {metric.kind}")


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"')
