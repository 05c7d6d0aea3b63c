"""Targets: a service or a part of the telemetry that can't be seen any more, and Watchdog."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from alerts import words
from alerts.model import Alert, Group, Record, Severity
from instrumentation.contract import recordings, slo, symptoms
from instrumentation.contract.recorded import SERVICE, UP

if TYPE_CHECKING:
    from instrumentation.contract.slo import Numbers

GONE: Final = "TargetGone"
WATCHDOG: Final = "Watchdog"


def groups(numbers: Numbers) -> tuple[Group, ...]:
    """Record which jobs are up, alert on those that are not, and beat Watchdog's heart."""
    tickets = "|".join(slo.TICKET_JOBS)
    rules = (
        Record(UP.at(SERVICE), recordings.job_up(numbers.targets.sample)),
        _gone(f'job!~"{tickets}"', "critical", numbers),
        _gone(f'job=~"{tickets}"', "warning", numbers),
        Alert(
            name=WATCHDOG,
            expression="vector(1)",
            wait=0,
            severity="none",
            level=SERVICE,
            summary="Alerting works",
            description="Fires always. Whoever receives it must raise the alarm when it stops: "
            "then Prometheus, Alertmanager or the way to the receiver is broken.",
            labels=(("job", slo.PROMETHEUS_JOB),),
            kind="watcher",
        ),
    )
    return (Group("targets", numbers.intervals.evaluation, rules),)


def _gone(jobs: str, severity: Severity, numbers: Numbers) -> Alert:
    return Alert(
        name=GONE,
        expression=symptoms.target_gone(numbers, (jobs,)),
        wait=numbers.targets.wait,
        severity=severity,
        level=SERVICE,
        summary="{{ $labels.job }} can't be seen any more",
        description="{{ if $value }}No target of it is known any more, though one was up within "
        f"the past {words.span(numbers.targets.memory)}.{{{{ else }}}}"
        "Every target of it fails to answer its scrapes.{{ end }}",
    )
