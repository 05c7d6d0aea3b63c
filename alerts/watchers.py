"""Watchers: the telemetry tells of its own failures, as long as it can.

What silences alerts altogether is told by Watchdog's absence; see `targets`. Blindness pages, for
the next page would not come: rules that fail, alerts and messages that are not delivered.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from alerts import words
from alerts.model import Alert, Group
from instrumentation.contract import watchers
from instrumentation.contract.watchers import (
    ALERTMANAGER,
    EXPORTER,
    INSTANCE,
    INTEGRATION,
    RECEIVER,
    RULE_GROUP,
)

if TYPE_CHECKING:
    from instrumentation.contract.slo import Numbers


def groups(numbers: Numbers) -> tuple[Group, ...]:
    """Watch instances, the collector, the rules, and the way of an alert to a person."""
    rules = (_instance(numbers), *_collector(numbers), *_rules(numbers), *_delivery(numbers))
    return (Group("watchers", numbers.intervals.evaluation, rules),)


def _instance(numbers: Numbers) -> Alert:
    return _watcher(
        name="InstanceDown",
        expression=watchers.instance_down(numbers),
        wait=numbers.watchers.instance,
        level=INSTANCE,
        summary="{{ $labels.instance }} of {{ $labels.job }} can't be seen",
        description="It fails its scrapes while other instances of the job answer theirs.",
    )


def _collector(numbers: Numbers) -> tuple[Alert, ...]:
    wait, window = numbers.watchers.wait, words.span(numbers.watchers.window)
    return (
        _watcher(
            name="CollectorRefusing",
            expression=watchers.collector_refusing(numbers),
            wait=wait,
            level=RECEIVER,
            summary="{{ $labels.job }} refuses {{ $labels.signal }}",
            description=f"{{{{ $value | humanize }}}} were refused by its receiver "
            f"{{{{ $labels.receiver }}}} over the last {window}. Senders try again for a while, "
            "then they are lost.",
        ),
        _watcher(
            name="CollectorDropping",
            expression=watchers.collector_dropping(numbers),
            wait=wait,
            level=EXPORTER,
            summary="{{ $labels.job }} loses {{ $labels.signal }}",
            description=f"{{{{ $value | humanize }}}} were lost for good by its exporter "
            f"{{{{ $labels.exporter }}}} over the last {window}: its queue is full, or the "
            "backend refuses them.",
        ),
        _watcher(
            name="CollectorQueueing",
            expression=watchers.collector_queueing(numbers),
            wait=wait,
            level=EXPORTER,
            summary="{{ $labels.job }} can't deliver {{ $labels.signal }}",
            description="The queue of its exporter {{ $labels.exporter }} is "
            "{{ $value | humanizePercentage }} full. Nothing is lost until it is full.",
        ),
    )


def _rules(numbers: Numbers) -> tuple[Alert, ...]:
    window = words.span(numbers.watchers.window)
    group = '{{ $labels.rule_group | reReplaceAll ".*/" "" }}'
    return (
        _watcher(
            name="RuleEvaluationFailing",
            expression=watchers.failing_rules(numbers),
            wait=numbers.watchers.wait,
            severity="critical",
            level=RULE_GROUP,
            summary=f"Rules of {group} fail in {{{{ $labels.job }}}}",
            description=f"{{{{ $value | humanize }}}} evaluations failed over the last {window}. "
            "What they would tell is not told.",
        ),
        _watcher(
            name="RuleEvaluationSlow",
            expression=watchers.slow_rules(numbers),
            wait=numbers.watchers.wait,
            level=RULE_GROUP,
            summary=f"Rules of {group} are too slow in {{{{ $labels.job }}}}",
            description=f"{{{{ $value | humanize }}}} evaluations were left out over the last "
            f"{window}, because the ones before took longer than the group's interval: every "
            "alert of the group comes late.",
        ),
    )


def _delivery(numbers: Numbers) -> tuple[Alert, ...]:
    window = words.span(numbers.watchers.window)
    return (
        _watcher(
            name="AlertsNotSent",
            expression=watchers.unsent_alerts(numbers),
            wait=numbers.watchers.wait,
            severity="critical",
            level=ALERTMANAGER,
            summary="{{ $labels.job }} can't reach its Alertmanager",
            description=f"{{{{ $value | humanizePercentage }}}} of the alerts over the last "
            f"{window} could not be handed to {{{{ $labels.alertmanager }}}}. Where it is the "
            "only one, nobody reads this.",
        ),
        _watcher(
            name="NotificationsFailing",
            expression=watchers.failing_notifications(numbers),
            wait=numbers.watchers.wait,
            severity="critical",
            level=INTEGRATION,
            summary="{{ $labels.job }} can't send its messages by {{ $labels.integration }}",
            description=f"{{{{ $value | humanizePercentage }}}} of them could not be sent over "
            f"the last {window}, though each was tried several times. People learn of nothing "
            "that way.",
        ),
    )


def _watcher(severity: Any = "warning", **rule: Any) -> Alert:
    return Alert(severity=severity, kind="watcher", **rule)
