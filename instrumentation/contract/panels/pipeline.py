"""Whether the telemetry itself is healthy: collector, Jaeger, Prometheus, Alertmanager.

Names are those of the backends. The collector spells its counters with or without `_total`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from instrumentation.contract import promql
from instrumentation.contract.metrics import (
    INSTRUMENTATION_INTERNAL_ERRORS,
    INSTRUMENTATION_SERIES_OVERFLOW,
    INSTRUMENTATION_SPAN_QUEUE_SIZE,
    INSTRUMENTATION_SPANS,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from instrumentation.contract.promql import Window

_RECEIVED: Final = "otelcol_receiver_accepted"
_SENT: Final = "otelcol_exporter_sent"
_LOST: Final = ("otelcol_exporter_send_failed", "otelcol_exporter_enqueue_failed")
_REFUSED: Final = ("otelcol_receiver_refused", "otelcol_receiver_failed")
_SIGNALS: Final = ("spans", "metric_points")
_QUEUE: Final = ("otelcol_exporter_queue_size", "otelcol_exporter_queue_capacity")
_SERIES: Final = "prometheus_tsdb_head_series"
_SAMPLES: Final = "prometheus_tsdb_head_samples_appended_total"
_RULES: Final = "prometheus_rule_group_last_duration_seconds"
_RULE_FAILURES: Final = "prometheus_rule_evaluation_failures_total"
_NOTIFICATIONS: Final = "alertmanager_notifications_total"
_NOTIFICATIONS_FAILED: Final = "alertmanager_notifications_failed_total"
_ALERTS_LOST: Final = "prometheus_notifications_errors_total"

EXTERNAL: Final = (
    *(
        f"{prefix}_{signal}{total}"
        for prefix in (_RECEIVED, _SENT, *_LOST, *_REFUSED)
        for signal in _SIGNALS
        for total in ("", "_total")
    ),
    *_QUEUE, _SERIES, _SAMPLES, _RULES, _RULE_FAILURES, _NOTIFICATIONS, _NOTIFICATIONS_FAILED,
    _ALERTS_LOST,
)  # fmt: skip

LABELS: Final = ("receiver", "exporter", "rule_group", "alertmanager", "integration")
"""Labels of these that are not the contract's."""


def up(matchers: Sequence[str]) -> str:
    """1 while an instance answers its scrapes, 0 while it does not."""
    return f"min by (job, instance) ({promql.selector('up', matchers)})"


def received(signal: str, window: Window, matchers: Sequence[str]) -> str:
    """Items a second that receivers took."""
    return _rates((_RECEIVED,), signal, "receiver", window, matchers)


def sent(signal: str, window: Window, matchers: Sequence[str]) -> str:
    """Items a second that exporters handed on."""
    return _rates((_SENT,), signal, "exporter", window, matchers)


def lost(signal: str, window: Window, matchers: Sequence[str]) -> str:
    """Items a second that receivers refused and that exporters gave up."""
    refused = _rates(_REFUSED, signal, "receiver", window, matchers)
    return f"{refused} or {_rates(_LOST, signal, 'exporter', window, matchers)}"


def queue_filled(matchers: Sequence[str]) -> str:
    """Share of an exporter's queue that is filled."""
    size, capacity = (promql.selector(name, matchers) for name in _QUEUE)
    return f"max by (job, exporter) ({size} / ({capacity} > 0))"


def series(matchers: Sequence[str]) -> str:
    """Series that Prometheus holds in memory."""
    return promql.total(promql.selector(_SERIES, matchers), ("job", "instance"))


def samples(window: Window, matchers: Sequence[str]) -> str:
    """Samples a second that Prometheus stores."""
    return _rate(_SAMPLES, ("job", "instance"), window, matchers)


def slowest_rules(matchers: Sequence[str]) -> str:
    """Seconds that the ten slowest groups of rules took."""
    taken = f"max by (job, rule_group) ({promql.selector(_RULES, matchers)})"
    return f"topk(10, {taken})"


def failing_rules(window: Window, matchers: Sequence[str]) -> str:
    """Evaluations of rules a second that failed."""
    return _rate(_RULE_FAILURES, ("job", "rule_group"), window, matchers)


def alerts_lost(window: Window, matchers: Sequence[str]) -> str:
    """Alerts a second that Prometheus could not hand on."""
    return _rate(_ALERTS_LOST, ("job", "alertmanager"), window, matchers)


def notifications(window: Window, matchers: Sequence[str]) -> str:
    """Messages a second that Alertmanager sends."""
    return _rate(_NOTIFICATIONS, ("job", "integration"), window, matchers)


def notifications_failed(window: Window, matchers: Sequence[str]) -> str:
    """Messages a second that Alertmanager could not send."""
    return _rate(_NOTIFICATIONS_FAILED, ("job", "integration"), window, matchers)


def spans(window: Window, matchers: Sequence[str]) -> str:
    """Finished spans a second of each service, by what became of them."""
    return promql.rate(INSTRUMENTATION_SPANS, window, ("job", "outcome"), matchers)


def spans_waiting(matchers: Sequence[str]) -> str:
    """Finished spans of each service that wait for export."""
    return promql.total(promql.selector(INSTRUMENTATION_SPAN_QUEUE_SIZE.name, matchers), ("job",))


def internal_errors(window: Window, matchers: Sequence[str]) -> str:
    """Errors a second inside the instrumentation, by its part."""
    return promql.rate(INSTRUMENTATION_INTERNAL_ERRORS, window, ("job", "part"), matchers)


def overflow(window: Window, matchers: Sequence[str]) -> str:
    """Observations a second that were folded into `_overflow`, by metric."""
    return promql.rate(INSTRUMENTATION_SERIES_OVERFLOW, window, ("job", "metric"), matchers)


def _rates(
    prefixes: Sequence[str], signal: str, part: str, window: Window, matchers: Sequence[str]
) -> str:
    """Add up what several counters tell, each in whichever spelling exists."""
    span = promql.duration(window)
    found = [
        f"rate({promql.selector(f'{prefix}_{signal}{total}', matchers)}[{span}])"
        for prefix in prefixes
        for total in ("_total", "")
    ]
    return promql.added(found, ("job", part))


def _rate(name: str, by: Sequence[str], window: Window, matchers: Sequence[str]) -> str:
    return promql.total(f"rate({promql.selector(name, matchers)}[{promql.duration(window)}])", by)
