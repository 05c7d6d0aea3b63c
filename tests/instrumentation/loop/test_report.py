"""What is written to the log of a block, and how often."""

from __future__ import annotations

import logging

import pytest
from fastapi import FastAPI

from instrumentation.runtime.loop.report import Reporter
from instrumentation.runtime.loop.stack import Spot
from instrumentation.runtime.loop.stretch import Block
from tests.instrumentation.conftest import Observed

MINUTE = 60.0


class Clock:
    """Time as the test says."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def reporter(observed: Observed, clock: Clock) -> Reporter:
    return Reporter(observed.instrument(FastAPI()), clock)


def block(name: str, cpu: float = 0.0) -> Block:
    spot = Spot(compile("pass", f"/app/{name}.py", "exec"), 1)
    return Block(0.0, 0.3, 0.3, cpu, 0.0, None, spot, (spot,))


def lines(caplog: pytest.LogCaptureFixture) -> list[str]:
    found = [record.getMessage() for record in caplog.records]
    caplog.clear()
    return found


def test_a_culprit_is_logged_once_a_minute(
    reporter: Reporter, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING, "instrumentation")
    for _ in range(5):
        reporter.blocked(block("one"))
    assert lines(caplog) == ["one.py:1 <module> blocked the event loop for 300 ms, waiting"]
    reporter.blocked(block("other", cpu=0.3))
    assert lines(caplog) == ["other.py:1 <module> blocked the event loop for 300 ms, burning CPU"]
    clock.now += MINUTE - 0.001
    reporter.blocked(block("one"))
    assert lines(caplog) == []
    clock.now += 0.001
    reporter.blocked(block("one"))
    assert len(lines(caplog)) == 1


def test_every_block_is_counted_though_it_is_not_logged(
    reporter: Reporter, observed: Observed
) -> None:
    for _ in range(5):
        reporter.blocked(block("one"))
    labels = {"http_route": "", "culprit": "one.py:1 <module>"}
    assert observed.value("asyncio_event_loop_culprit_blocks_total", **labels) == 5
    assert observed.value("asyncio_event_loop_culprit_seconds_total", **labels) == pytest.approx(
        1.5
    )


def test_a_thousand_culprits_do_not_fill_the_log(
    reporter: Reporter, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    for number in range(1000):
        reporter.blocked(block(f"m{number}"))
    assert len(lines(caplog)) == 100
    clock.now += MINUTE
    reporter.blocked(block("another"))
    assert len(lines(caplog)) == 1
