"""A row is whole only if the right page came, the culprit was found, and the page was resolved."""

import re
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from drill.demo import Demo
from drill.evidence import Backends, Evidence
from drill.jaeger import Jaeger
from drill.performance import Stage, complaints, perform
from drill.prometheus import Prometheus
from drill.receiver import Receiver
from drill.scenarios import SCENARIOS, Scenario
from drill.waiting import Waiter
from tests.drill.messages import message

NOWHERE = "http://127.0.0.1:9"
ERRORS = next(each for each in SCENARIOS if each.name == "errors")
Send = Callable[..., None]


class HastyStage(Stage):
    """A stage that gives up at once."""

    def patience(self, scenario: Scenario) -> float:
        return 0.0


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    with (
        Receiver(tmp_path / "log") as receiver,
        closing(Demo(NOWHERE, NOWHERE)) as demo,
        closing(Prometheus(NOWHERE)) as prometheus,
        closing(Jaeger(NOWHERE)) as jaeger,
    ):
        yield HastyStage(
            demo=demo,
            backends=Backends(prometheus, jaeger),
            receiver=receiver,
            waiter=Waiter(lambda: None),
            scale=10,
        )


@pytest.fixture
def send(stage: Stage) -> Send:
    """Say what Alertmanager would."""

    def post(
        receiver: str, status: str, *alerts: str, severity: str = "critical", job: str = "orders"
    ) -> None:
        body = message(receiver, status, *alerts, severity=severity, job=job)
        httpx.post(f"{stage.receiver.url}/{receiver}", json=body).raise_for_status()

    return post


def scenario(start: Callable[[], None], end: Callable[[], None]) -> Scenario:
    return replace(
        ERRORS,
        start=lambda demo: start(),
        end=lambda demo: end(),
        evidence=lambda backends, since: Evidence("trace 1", "trace 1: it was me"),
    )


def test_page_culprit_and_resolution_make_a_whole_row(stage: Stage, send: Send) -> None:
    row = perform(
        stage,
        scenario(
            lambda: send("page", "firing", ERRORS.alert),
            lambda: send("page", "resolved", ERRORS.alert),
        ),
    )
    assert row.missing == ""
    assert row.evidence == "trace 1"
    assert row.page_seconds is not None
    assert row.resolved_seconds is not None


def test_the_fault_ends_even_where_no_page_came(stage: Stage) -> None:
    ended: list[bool] = []
    row = perform(stage, scenario(lambda: None, lambda: ended.append(True)))
    assert row.missing == "no page HighErrorRatio within 0 s"
    assert row.resolved_seconds is None
    assert ended == [True]


def test_only_what_began_once_the_stack_was_ready_is_a_complaint(stage: Stage) -> None:
    ready = datetime.fromtimestamp(stage.ready, UTC)
    for alert, seconds in (("TargetGone", -1), ("HighTailLatency", 1)):
        for receiver in ("ticket", "log"):
            began = ready + timedelta(seconds=seconds)
            body = message(receiver, "firing", f"{alert} {receiver}", began=began)
            httpx.post(f"{stage.receiver.url}/{receiver}", json=body).raise_for_status()
    assert complaints(stage) == {"HighTailLatency ticket"}


@pytest.mark.parametrize(("receiver", "severity"), [("ticket", "warning"), ("log", "info")])
def test_what_wakes_nobody_is_no_page(
    stage: Stage, send: Send, receiver: str, severity: str
) -> None:
    row = perform(
        stage,
        scenario(lambda: send(receiver, "firing", ERRORS.alert, severity=severity), lambda: None),
    )
    assert row.missing.startswith("no page")


def test_a_page_that_is_never_resolved_is_missed(stage: Stage, send: Send) -> None:
    row = perform(stage, scenario(lambda: send("page", "firing", ERRORS.alert), lambda: None))
    assert row.page_seconds is not None
    assert row.missing == "no resolved message of HighErrorRatio within 0 s"


def test_a_page_for_something_else_spoils_the_row(stage: Stage, send: Send) -> None:
    row = perform(
        stage,
        scenario(
            lambda: send("page", "firing", ERRORS.alert, "TrafficGone"),
            lambda: send("page", "resolved", ERRORS.alert, "TrafficGone"),
        ),
    )
    assert re.fullmatch(r"paged for something else as well: TrafficGone of orders", row.missing)


@pytest.mark.parametrize(("beyond", "missing"), [((), " of payments"), (("payments",), "")])
def test_a_fault_may_reach_other_services(
    stage: Stage, send: Send, beyond: tuple[str, ...], missing: str
) -> None:
    def begin() -> None:
        send("page", "firing", ERRORS.alert)
        send("page", "firing", ERRORS.alert, job="payments")

    mended = scenario(begin, lambda: send("page", "resolved", ERRORS.alert))
    row = perform(stage, replace(mended, beyond=beyond))
    assert row.missing.endswith(missing)
    assert bool(row.missing) == bool(missing)
