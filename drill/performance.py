"""Performs scenarios on a running stack and watches what comes of them."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from functools import partial
from itertools import product
from typing import TYPE_CHECKING, Final

from drill.demo import SERVICE
from drill.errors import DrillError, MissedError
from drill.receiver import HUMANS, PAGE
from drill.scenarios import WATCHDOG
from drill.table import Row
from drill.waiting import say
from instrumentation.contract import promql, recorded

if TYPE_CHECKING:
    from collections.abc import Callable

    from drill.demo import Demo
    from drill.evidence import Backends
    from drill.receiver import Notification, Receiver
    from drill.scenarios import Scenario
    from drill.waiting import Waiter

_SLACK_SECONDS: Final = 60
"""For a busy machine; the rest of a wait's bound is twice what the rules ask for."""
_INFO: Final = "info"
"""The severity of alerts that call nobody. The naive forms of the rules have it, and one of them
is true of a healthy demo: its p99 is over three times its p50, and still only 30 ms."""
_NOTIFY_SECONDS: Final = 90
"""Alertmanager's `group_wait` and `group_interval` for a page, unscaled."""


@dataclass(frozen=True, kw_only=True)
class Stage:
    """Everything that a performance needs."""

    demo: Demo
    backends: Backends
    receiver: Receiver
    waiter: Waiter
    scale: float
    # The programs start one after another, and scaled rules call the last ones gone meanwhile.
    ready: float = field(default_factory=time.time)

    def patience(self, scenario: Scenario) -> float:
        """Return how many seconds a scenario's page may take, or its resolved message."""
        ideal = (scenario.window_seconds + scenario.wait_seconds + _NOTIFY_SECONDS) / self.scale
        return _SLACK_SECONDS + 2 * ideal


def await_readiness(stage: Stage, scenarios: tuple[Scenario, ...]) -> None:
    """Wait until traffic is recorded, and the past that the scenarios need is known."""
    for quantity in (recorded.REQUESTS_5M, *(each.past for each in scenarios if each.past)):
        name = quantity.at(recorded.SERVICE)
        above_zero = f"{promql.selector(name, (promql.equals('job', SERVICE),))} > 0"
        stage.waiter.until(
            f"series {name} of {SERVICE}",
            partial(stage.backends.prometheus.value, above_zero),
            _SLACK_SECONDS,
        )


def demand_silence(stage: Stage, seconds: float) -> None:
    """Raise a DrillError if a page or a ticket comes within so many seconds, or came since the
    stack was ready.

    Then wait for Watchdog at the receiver: silence means nothing where no message gets through.
    """
    stage.waiter.during("silence", partial(_demand_nothing_fires, stage), seconds)
    for each in stage.backends.prometheus.firing():
        if each.severity == _INFO:
            say(f"  read later, so no false alarm: {each}")
    if sent := complaints(stage):
        raise DrillError(f"While all was well, messages came about {', '.join(sorted(sent))}.")
    stage.waiter.until(
        f"{WATCHDOG} at the receiver", lambda: _first(_named(stage.receiver, WATCHDOG)), 120
    )


def complaints(stage: Stage) -> set[str]:
    """Return the alerts that somebody was called for, and that began once the stack was ready."""
    return {
        each.alert
        for each in stage.receiver.received()
        if each.receiver in HUMANS and each.began >= stage.ready
    }


def _demand_nothing_fires(stage: Stage) -> None:
    alarms = _alarms(stage)
    if alarms:
        raise DrillError(f"While all was well, these fired: {'; '.join(alarms)}.")


def perform(stage: Stage, scenario: Scenario) -> Row:
    """Break the demo, wait for the page, find the culprit, mend the demo, wait for the end."""
    row = Row(scenario.name, scenario.fault)
    began = time.time()
    say(f"{scenario.name}: {scenario.fault}")
    stage.waiter.attempt("start of the fault", lambda: scenario.start(stage.demo))
    row.missing = _missed(lambda: _witness(stage, scenario, row, began))
    mended = time.time()
    stage.waiter.attempt("end of the fault", lambda: scenario.end(stage.demo))
    row.missing = (
        row.missing
        or _missed(lambda: _await_end(stage, scenario, row, mended))
        or _wrong_pages(stage, scenario, began)
    )
    if row.missing:
        say(f"  {row.missing}")
    return row


def _missed(act: Callable[[], None]) -> str:
    """Say what an act waited for in vain; nothing where all came."""
    try:
        act()
    except MissedError as error:
        return str(error)
    return ""


def _witness(stage: Stage, scenario: Scenario, row: Row, began: float) -> None:
    patience = stage.patience(scenario)
    page = stage.waiter.until(
        f"page {scenario.alert}",
        lambda: _first(_pages(stage, scenario, began, "firing")),
        patience,
    )
    row.page_seconds = page.at - began
    say(f"  paged after {row.page_seconds:.0f} s: {page.annotations['summary']}")
    evidence = stage.waiter.until(
        "evidence of the culprit",
        lambda: scenario.evidence(stage.backends, began),
        _SLACK_SECONDS,
    )
    row.evidence = evidence.short
    say(f"  culprit: {evidence.detail}")


def _await_end(stage: Stage, scenario: Scenario, row: Row, mended: float) -> None:
    patience = stage.patience(scenario)
    resolved = stage.waiter.until(
        f"resolved message of {scenario.alert}",
        lambda: _first(_pages(stage, scenario, mended, "resolved")),
        patience,
    )
    row.resolved_seconds = resolved.at - mended
    say(f"  resolved after {row.resolved_seconds:.0f} s")


def _pages(stage: Stage, scenario: Scenario, since: float, status: str) -> list[Notification]:
    return [
        each
        for each in _named(stage.receiver, scenario.alert, since)
        if each.receiver == PAGE
        and each.status == status
        and each.labels["severity"] == "critical"
        and each.job == SERVICE
    ]


def _wrong_pages(stage: Stage, scenario: Scenario, since: float) -> str:
    services = (SERVICE, *scenario.beyond)
    right = set(product((scenario.alert, *scenario.also), services))
    # A budget's page outlives its fault: it ends when half an hour is clean.
    earlier = {(each.alert, each.job) for each in stage.receiver.received() if each.at < since}
    wrong = {
        f"{each.alert} of {each.job}"
        for each in stage.receiver.received(since)
        if each.receiver == PAGE and (each.alert, each.job) not in right | earlier
    }
    return f"paged for something else as well: {', '.join(sorted(wrong))}" if wrong else ""


def _alarms(stage: Stage) -> list[str]:
    return [
        str(each)
        for each in stage.backends.prometheus.firing()
        if each.severity != _INFO and each.name != WATCHDOG
    ]


def _named(receiver: Receiver, alert: str, since: float = 0) -> list[Notification]:
    return [each for each in receiver.received(since) if each.alert == alert]


def _first(notifications: list[Notification]) -> Notification | None:
    return notifications[0] if notifications else None
