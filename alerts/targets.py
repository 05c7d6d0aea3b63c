"""Targets: a service or a part of the telemetry that can't be seen any more, and Watchdog."""

from __future__ import annotations

from typing import Final

from alerts.model import Alert, Group, Record, Scale, Severity
from instrumentation.contract import queries, slo
from instrumentation.contract.recorded import SERVICE, UP

GONE: Final = "TargetGone"
WATCHDOG: Final = "Watchdog"


def groups(scale: Scale) -> tuple[Group, ...]:
    """Record which jobs are up, alert on those that are not, and beat Watchdog's heart."""
    tickets = "|".join(slo.TICKET_JOBS)
    rules = (
        Record(UP.at(SERVICE), queries.job_up(scale(slo.TARGET_SAMPLE_SECONDS))),
        _gone(f'job!~"{tickets}"', "critical", scale),
        _gone(f'job=~"{tickets}"', "warning", scale),
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
        ),
    )
    return (Group("targets", scale(slo.EVALUATION_INTERVAL_SECONDS), rules),)


def _gone(jobs: str, severity: Severity, scale: Scale) -> Alert:
    return Alert(
        name=GONE,
        expression=queries.target_gone(
            scale(slo.TARGET_MEMORY_SECONDS), scale(slo.SETTLE_SECONDS), (jobs,)
        ),
        wait=scale(slo.TARGET_FOR_SECONDS),
        severity=severity,
        level=SERVICE,
        summary="{{ $labels.job }} can't be seen any more",
        description="{{ if $value }}No target of it is known any more, though one was up within "
        "the past day.{{ else }}Every target of it fails to answer its scrapes.{{ end }}",
    )
