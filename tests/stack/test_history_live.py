"""A made-up past and the live present are one: the same series, and what the rules make of them."""

import os
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from instrumentation.contract import queries, recorded, recordings, slo
from instrumentation.contract.metrics import HTTP_SERVER_REQUEST_DURATION
from stack.environment import REPOSITORY
from stack.history.recordings import LEFT_OUT, STEP_SECONDS
from tests.stack.running import eventually, free_ports, started

pytestmark = pytest.mark.stack

DAY = 86_400
RULES = REPOSITORY / "alerts" / "generated"
RAW = tuple(f"{HTTP_SERVER_REQUEST_DURATION.name}{end}" for end in ("_bucket", "_count", "_sum"))
RECORDED = tuple(
    quantity.at(level)
    for quantity in recorded.ALL
    if quantity not in LEFT_OUT
    for level in quantity.levels
)
Labels = frozenset[tuple[str, str]]


@dataclass(frozen=True)
class Stack:
    """A stack with a past, and when its present began."""

    ports: Mapping[str, str]
    log: Path
    began: float
    seconds: float
    megabytes: float

    def ask(self, expression: str, at: float | None = None) -> dict[Labels, float]:
        """What the expression says at a time (now by default), by labels."""
        answer = httpx.get(
            f"http://127.0.0.1:{self.ports['PROMETHEUS_PORT']}/api/v1/query",
            params={"query": expression, "time": at or time.time()},
            timeout=30,
        )
        result: list[dict[str, Any]] = answer.raise_for_status().json()["data"]["result"]
        return {frozenset(each["metric"].items()): float(each["value"][1]) for each in result}

    def past(self, name: str) -> set[Labels]:
        """The series of that name two hours before the present began."""
        return set(self.ask(name, self.began - 7200))

    def live(self, name: str) -> set[Labels]:
        """The series of that name that were written since the present began."""
        now = time.time()
        window = f"{(now - self.began) * 1000:.0f}ms"
        return set(self.ask(f'last_over_time({name}{{job=~"orders|payments"}}[{window}])', now))


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    ports = free_ports()
    folder = tmp_path_factory.mktemp("history")
    shutil.copytree(RULES, folder / "rules")
    seconds = make_history(folder, ports)
    data = folder / "data" / "prometheus"
    size = sum(file.stat().st_size for file in data.rglob("*") if file.is_file())
    began = time.time()
    with started(folder, ports, "--scale", "10", history=True):
        yield Stack(ports, folder / "up.log", began, seconds, size / 1e6)


def make_history(folder: Path, ports: Mapping[str, str]) -> float:
    """Run the command by itself; return the seconds it took."""
    targets = folder / "services.json"
    targets.write_text(
        f'[{{"targets": ["127.0.0.1:{ports["DEMO_PORT"]}"], "labels": {{"job": "orders"}}}},'
        f'{{"targets": ["127.0.0.1:{ports["PAYMENTS_PORT"]}"], "labels": {{"job": "payments"}}}}]'
    )
    begin = time.monotonic()
    subprocess.run(
        [
            *(sys.executable, "-m", "stack.history"),
            *("--data", str(folder / "data" / "prometheus"), "--targets", str(targets)),
        ],
        cwd=REPOSITORY,
        env=os.environ,
        check=True,
        timeout=240,
    )
    return time.monotonic() - begin


def test_the_past_costs_little(stack: Stack) -> None:
    assert stack.megabytes < 500
    # 60 s is the promise on a machine with nothing else to do; tests share theirs.
    assert stack.seconds < 120


def test_a_start_with_data_adds_no_past(stack: Stack) -> None:
    assert "holds data already" in stack.log.read_text()


@pytest.mark.parametrize("name", [*RAW, *RECORDED])
def test_past_and_live_series_are_the_same(stack: Stack, name: str) -> None:
    past = stack.past(name)
    assert past
    eventually(lambda: past <= stack.live(name), seconds=120, explain=lambda: stack.live(name))
    assert stack.live(name) == past


@pytest.mark.parametrize("name", RECORDED)
def test_the_recorded_past_goes_back_five_weeks(stack: Stack, name: str) -> None:
    # What is usual takes a day or a week of past itself.
    oldest = stack.began - (28 if name.endswith("_usual") else 35.9) * DAY
    assert set(stack.ask(name, oldest)) == stack.past(name)
    assert set(stack.ask(f"{name} offset 1w")) == stack.past(name)


@pytest.mark.parametrize("name", RAW)
def test_the_raw_past_goes_back_a_day(stack: Stack, name: str) -> None:
    assert set(stack.ask(name, stack.began - 25.9 * 3600)) == stack.past(name)


def test_no_scrape_falls_into_the_past(stack: Stack) -> None:
    name = RAW[1]
    eventually(lambda: stack.live(name))
    newest = max(stack.ask(f"timestamp({name})", stack.began).values())
    assert newest < stack.began - 15


def test_the_recorded_past_is_what_the_rules_make_of_the_raw_one(stack: Stack) -> None:
    at = a_recorded_moment(stack)
    differences = []
    for name, expression in rules().items():
        written, computed = stack.ask(name, at), stack.ask(expression, at)
        named = {labels - {("__name__", name)}: value for labels, value in written.items()}
        assert named.keys() == computed.keys(), name
        for labels, value in named.items():
            if name.endswith("_usual"):
                assert value == pytest.approx(computed[labels], rel=1e-6), name
            else:
                differences.append(abs(value - computed[labels]) / (value or 1))
    # A rate sees one minute less than its window, so they differ by a minute's chance.
    assert statistics.median(differences) < 0.05
    assert max(differences) < 0.4


def a_recorded_moment(stack: Stack) -> float:
    """A time about three hours before the present at which the past holds a sample."""
    name = recorded.REQUESTS_5M.at(recorded.SERVICE)
    (at,) = set(stack.ask(f"timestamp({name})", stack.began - 10_800).values())
    assert at >= stack.began - 10_800 - STEP_SECONDS
    return at


def rules() -> dict[str, str]:
    """Expressions of the recording rules whose sources the past holds, by name.

    Buckets have no past: what is made of them is asked of the raw series instead.
    """
    found = {
        rule["record"]: rule["expr"]
        for path in RULES.glob("*.yml")
        for group in yaml.safe_load(path.read_text())["groups"]
        for rule in group["rules"]
        if "record" in rule
    }
    tail = slo.DEFAULTS.tail.window
    for level in (recorded.SERVICE, recorded.ROUTE):
        mean = recordings.buckets(level, tail, slo.DEFAULTS)
        raw = queries.judged_buckets(level.labels, tail)
        found = {key: text.replace(mean, raw) for key, text in found.items()}
    # It is the mean of a series that has no past.
    unread = recorded.REQUESTS_30M.at(recorded.SERVICE)
    return {name: text for name, text in found.items() if name in {*RECORDED} - {unread}}


def test_nothing_is_paged_because_of_the_past(stack: Stack) -> None:
    watchdog = 'ALERTS{alertstate="firing", alertname="Watchdog"}'
    eventually(lambda: stack.ask(watchdog), seconds=120)
    firing = stack.ask('ALERTS{alertstate="firing", severity=~"critical|warning"}')
    assert not firing
