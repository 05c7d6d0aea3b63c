"""What wakes the watchdog: a timer that a beat puts off, or a sleep where there is none."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from importlib import import_module
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from instrumentation.runtime.loop import alarm as alarms
from instrumentation.runtime.loop.alarm import Alarm, PlainAlarm, TimerAlarm, best_alarm
from instrumentation.runtime.loop.watchdog import Watchdog, watchdog
from tests.instrumentation.conftest import Observed, wait_until
from tests.instrumentation.loop.conftest import BLOCK_SECONDS, Told, line

Run = Callable[[Any], str]
LONG = 60.0


@pytest.fixture(params=[TimerAlarm, PlainAlarm])
def alarm(request: pytest.FixtureRequest) -> Iterator[Alarm]:
    made: Alarm = request.param()
    yield made
    made.close()


def meanwhile(work: Callable[[], object]) -> None:
    """Do something in another thread, when this one sleeps."""
    threading.Timer(0.1, work).start()


async def sleeps() -> None:
    time.sleep(BLOCK_SECONDS)


def served(observed: Observed, run: Run) -> str:
    """The address of an application that can block its loop."""
    app = FastAPI()
    app.get("/sleeps")(sleeps)
    observed.instrument(app)
    return run(app)


def test_linux_has_timers() -> None:
    made = best_alarm()
    made.close()
    assert isinstance(made, TimerAlarm)


def test_it_rings_when_it_should(alarm: Alarm) -> None:
    until = time.perf_counter() + 0.02
    alarm.sleep(until, LONG)
    assert alarm.at == until <= time.perf_counter()


def test_what_is_over_already_rings_at_once(alarm: Alarm) -> None:
    alarm.sleep(0.0, LONG)
    alarm.sleep(time.perf_counter() - 1, LONG)


def test_nobody_sleeps_for_longer_than_at_most(alarm: Alarm) -> None:
    before = time.perf_counter()
    alarm.sleep(float("inf"), 0.02)
    assert before + 0.02 <= alarm.at <= time.perf_counter()


def test_its_end_rings_and_is_put_off_by_nobody(alarm: Alarm) -> None:
    def end() -> None:
        alarm.end()
        alarm.put_off(0.0, time.perf_counter() + LONG)

    meanwhile(end)
    alarm.sleep(time.perf_counter() + LONG, LONG)


@pytest.mark.parametrize("seconds", [0.2, 0.4])
def test_a_timer_is_put_off(seconds: float) -> None:
    """From 0.3 s to earlier and to later."""
    alarm, now = TimerAlarm(), time.perf_counter()
    meanwhile(lambda: alarm.put_off(now, now + seconds))
    alarm.sleep(now + 0.3, LONG)
    assert alarm.at == now + seconds <= time.perf_counter()
    alarm.close()


def test_a_timer_that_is_due_is_not_put_off() -> None:
    """Its thread has not got the CPU yet: how late it wakes tells that the process stood still."""
    alarm, due = TimerAlarm(), time.perf_counter() + 0.02
    alarm.sleep(due, LONG)
    alarm.put_off(time.perf_counter(), due + LONG)
    assert alarm.at == due
    alarm.close()


@pytest.mark.parametrize("best", [TimerAlarm, PlainAlarm])
def test_either_names_who_blocks(
    best: type[Alarm], observed: Observed, told: Told, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(import_module(Watchdog.__module__), "best_alarm", best)
    base = served(observed, run)
    assert isinstance(watchdog._alarm, best)
    told.provoke(lambda: httpx.get(f"{base}/sleeps"), "/sleeps", line(sleeps, "time.sleep"))


def test_a_loop_that_turns_wakes_nobody(
    observed: Observed, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    served(observed, run)
    sleeps = []
    sleep = TimerAlarm.sleep

    def noted(self: TimerAlarm, until: float, most: float) -> None:
        began = time.perf_counter()
        sleep(self, until, most)
        sleeps.append(time.perf_counter() - began)

    monkeypatch.setattr(TimerAlarm, "sleep", noted)
    # It looks 40 ms after the last beat at the latest, where nobody puts it off.
    wait_until(lambda: any(seconds > 0.5 for seconds in sleeps), 30)


def test_the_watchdog_goes_on_where_others_close_its_file(
    observed: Observed, told: Told, run: Run, caplog: pytest.LogCaptureFixture
) -> None:
    """As who becomes a daemon may do."""
    base = served(observed, run)
    assert isinstance(watchdog._alarm, TimerAlarm)
    os.close(watchdog._alarm._file)
    wait_until(lambda: isinstance(watchdog._alarm, PlainAlarm))
    assert "somebody closed the event loop watchdog's timer" in caplog.text
    told.provoke(lambda: httpx.get(f"{base}/sleeps"), "/sleeps", line(sleeps, "time.sleep"))


def test_a_system_without_timers_has_the_plain_one(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused() -> Alarm:
        raise OSError("no timers here")

    monkeypatch.setattr(alarms, "TimerAlarm", refused)
    assert isinstance(best_alarm(), PlainAlarm)
