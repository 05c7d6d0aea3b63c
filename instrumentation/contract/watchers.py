"""Questions about the telemetry itself: the metrics of collector, Prometheus and Alertmanager.

The collector spells its counters with or without `_total`, depending on its version and on who
scrapes it; Jaeger is made of the same parts, and answers to the same names.
"""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING, Final

from instrumentation.contract import promql, recorded
from instrumentation.contract.recorded import SERVICE, Level

if TYPE_CHECKING:
    from instrumentation.contract.slo import Numbers

INSTANCE: Final = Level("instance", ("job", "instance"))
RECEIVER: Final = Level("receiver", ("job", "instance", "receiver", "signal"))
EXPORTER: Final = Level("exporter", ("job", "instance", "exporter", "signal"))
RULE_GROUP: Final = Level("rule_group", ("job", "instance", "rule_group"))
INTEGRATION: Final = Level("integration", ("job", "integration"))
ALERTMANAGER: Final = Level("alertmanager", ("job", "instance", "alertmanager"))

_SIGNALS: Final = ("spans", "metric_points", "log_records")
_REFUSED: Final = ("otelcol_receiver_refused", "otelcol_receiver_failed")
_LOST: Final = ("otelcol_exporter_send_failed", "otelcol_exporter_enqueue_failed")
_QUEUE_SIZE: Final = "otelcol_exporter_queue_size"
_QUEUE_CAPACITY: Final = "otelcol_exporter_queue_capacity"
_RULE_FAILURES: Final = "prometheus_rule_evaluation_failures_total"
_RULES_MISSED: Final = "prometheus_rule_group_iterations_missed_total"
_ALERTS_LOST: Final = "prometheus_notifications_errors_total"
_ALERTS_SENT: Final = "prometheus_notifications_sent_total"
_NOTIFICATIONS: Final = "alertmanager_notifications_total"
_NOTIFICATIONS_FAILED: Final = "alertmanager_notifications_failed_total"


def _spellings(prefix: str, signal: str) -> tuple[str, str]:
    return f"{prefix}_{signal}", f"{prefix}_{signal}_total"


EXTERNAL: Final = (
    *(
        name
        for prefix, signal in product((*_REFUSED, *_LOST), _SIGNALS)
        for name in _spellings(prefix, signal)
    ),
    _QUEUE_SIZE,
    _QUEUE_CAPACITY,
    _RULE_FAILURES,
    _RULES_MISSED,
    _ALERTS_LOST,
    _ALERTS_SENT,
    _NOTIFICATIONS,
    _NOTIFICATIONS_FAILED,
)
"""Names that the backends define."""


def instance_down(numbers: Numbers) -> str:
    """0 for an instance that fails its scrapes while others of its job answer theirs."""
    latest = f"last_over_time(up[{promql.duration(numbers.targets.sample)}])"
    down = f"max by ({', '.join(INSTANCE.labels)}) ({latest}) == 0"
    return f"{down}\nand on (job) max by (job) ({recorded.UP.at(SERVICE)}) == 1"


def collector_refusing(numbers: Numbers) -> str:
    """Items that a receiver refused or failed to hand on, by signal."""
    return _collector(_REFUSED, RECEIVER, numbers.watchers.window)


def collector_dropping(numbers: Numbers) -> str:
    """Items that an exporter lost for good, by signal."""
    return _collector(_LOST, EXPORTER, numbers.watchers.window)


def collector_queueing(numbers: Numbers) -> str:
    """Share of an exporter's queue that is filled, where it is more than a little."""
    filled = f"{_QUEUE_SIZE} / ({_QUEUE_CAPACITY} > 0)"
    signal = f'label_replace({filled}, "signal", "$1", "data_type", "(.*)")'
    return f"max by ({', '.join(EXPORTER.labels)}) ({signal}) > {numbers.watchers.queue:g}"


def failing_rules(numbers: Numbers) -> str:
    """How many evaluations of a group's rules failed in the window."""
    return f"{_happened(_RULE_FAILURES, RULE_GROUP, numbers.watchers.window)} > 0"


def slow_rules(numbers: Numbers) -> str:
    """How many evaluations of a group were left out in the window."""
    watchers = numbers.watchers
    return f"{_happened(_RULES_MISSED, RULE_GROUP, watchers.window)} >= {watchers.missed:g}"


def unsent_alerts(numbers: Numbers) -> str:
    """Share of the alerts that Prometheus could not hand to an Alertmanager."""
    watchers = numbers.watchers
    lost = _happened(_ALERTS_LOST, ALERTMANAGER, watchers.window)
    sent = _happened(_ALERTS_SENT, ALERTMANAGER, watchers.window)
    return f"{lost} / ({sent} > 0) > {watchers.failed:g}"


def failing_notifications(numbers: Numbers) -> str:
    """Share of the messages of a kind that Alertmanager could not send."""
    watchers = numbers.watchers
    failed = _happened(_NOTIFICATIONS_FAILED, INTEGRATION, watchers.window)
    tried = _happened(_NOTIFICATIONS, INTEGRATION, watchers.window)
    return f"{failed} / ({tried} > 0) > {watchers.failed:g}"


def _collector(prefixes: tuple[str, ...], level: Level, window: float) -> str:
    """Items of the window, whichever way the collector spells its counters, by signal."""
    by = level.labels[:-1]
    found = []
    for signal in _SIGNALS:
        counts = [
            promql.counted(name, window, by)
            for prefix in prefixes
            for name in _spellings(prefix, signal)
        ]
        found.append(f'label_replace({promql.added(counts, by)} > 0, "signal", "{signal}", "", "")')
    return "\nor ".join(found)


def _happened(name: str, level: Level, window: float) -> str:
    return promql.total(f"increase({name}[{promql.duration(window)}])", level.labels)
