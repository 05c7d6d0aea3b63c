"""A stretch is cut into what held the loop, by arithmetic alone."""

from __future__ import annotations

from types import CodeType, SimpleNamespace
from typing import Any

import pytest

from instrumentation.runtime.loop.stack import Spot
from instrumentation.runtime.loop.stretch import Block, Sample, Stretch
from instrumentation.runtime.loop.usage import Usage

THRESHOLD = 0.05


def spot(name: str, line: int = 1) -> Spot:
    code: CodeType = compile("pass", f"/app/{name}.py", "exec")
    return Spot(code, line)


ONE, OTHER = spot("one"), spot("other")


def stretch(*samples: tuple[float, object, Spot | None], request: Any = None) -> Stretch:
    """A loop that beat at 0 s and should have at 0.01 s, with samples (moment, owner, line)."""
    made = Stretch(0.0, 0.01, Usage(0.0))
    for at, owner, line in samples:
        made.add(Sample(Usage(at), None, owner, request, line, (line,) if line else ()))
    return made


def blocks(made: Stretch, until: float) -> list[tuple[str, float]]:
    found = made.blocks(THRESHOLD, Usage(until))
    return [(block.label(), round(block.seconds, 4)) for block in found]


def test_one_run_is_one_block_from_the_middle_of_where_it_can_have_begun() -> None:
    assert blocks(stretch((0.02, 1, ONE), (0.03, 1, ONE)), 0.1) == [("one.py:1 <module>", 0.095)]


def test_two_runs_share_the_stretch() -> None:
    made = stretch((0.02, 1, ONE), (0.10, 1, ONE), (0.11, 2, OTHER), (0.20, 2, OTHER))
    found = [("one.py:1 <module>", 0.1), ("other.py:1 <module>", 0.095)]
    assert blocks(made, 0.2) == found


def test_many_short_runs_are_nobodys_fault() -> None:
    library = Spot(compile("pass", "/x/site-packages/lib/a.py", "exec"), 1)
    short = stretch(*((0.01 + 0.005 * n, n, library) for n in range(1, 40)))
    assert blocks(short, 0.21) == []


def test_many_short_runs_of_one_request_are_its_own() -> None:
    request = SimpleNamespace(began=0.0)
    made = stretch(*((0.01 + 0.005 * n, n, ONE) for n in range(1, 40)), request=request)
    ((label, seconds),) = blocks(made, 0.21)
    assert label == "one.py:1 <module>"
    assert seconds == pytest.approx(0.205, abs=0.01)


def test_many_short_runs_of_different_requests_are_load() -> None:
    made = Stretch(0.0, 0.01, Usage(0.0))
    for n in range(1, 40):
        request: Any = SimpleNamespace(began=0.0)
        made.add(Sample(Usage(0.01 + 0.005 * n), None, n, request, ONE, (ONE,)))
    assert blocks(made, 0.21) == []


def test_a_request_holds_nothing_before_it_began() -> None:
    request = SimpleNamespace(began=0.008)
    ((_, seconds),) = blocks(stretch((0.02, 1, ONE), request=request), 0.1)
    assert seconds == pytest.approx(0.1 - 0.0085)


def test_time_without_cpu_counts_for_nobody() -> None:
    made = stretch((0.02, 1, ONE))
    assert made.blocks(THRESHOLD, Usage(0.1, 0.03, starved=0.06)) == []
    (block,) = made.blocks(THRESHOLD, Usage(0.1, 0.06, starved=0.03))
    assert block.burnt()


def test_an_idle_loop_is_nobodys_block() -> None:
    assert blocks(stretch((0.02, None, None), (0.2, None, None)), 0.3) == []


def test_who_kept_the_lock_held_the_loop_since_then() -> None:
    made = stretch((0.02, 1, ONE))
    made.add(Sample(Usage(0.2), 0.035, 2, None, OTHER, (OTHER,)))
    assert blocks(made, 0.2) == [("other.py:1 <module>", 0.165)]


def test_the_line_seen_most_is_named() -> None:
    lines = [spot("one", 1), spot("one", 2), spot("one", 2)]
    made = stretch(*((0.02 + 0.01 * n, 1, line) for n, line in enumerate(lines)))
    assert blocks(made, 0.1) == [("one.py:2 <module>", 0.095)]


def test_samples_after_the_end_are_ignored() -> None:
    made = stretch((0.02, 1, ONE))
    made.finish(Usage(0.1))
    made.add(Sample(Usage(0.2), None, 2, None, OTHER, (OTHER,)))
    assert blocks(made, 0.1) == [("one.py:1 <module>", 0.095)]


def test_a_block_without_a_culprit_is_unknown_and_one_of_the_collector_gc() -> None:
    block = Block(0.0, 1.0, 1.0, 0.0, 0.0, None, None)
    assert block.label() == "unknown"
    block.collecting = True
    assert block.label() == "gc"


def test_the_line_behind_which_nobody_could_look_weighs_as_long_as_it_took() -> None:
    made = stretch()
    caller, later = spot("caller"), spot("later")
    held = Sample(Usage(0.2), None, 1, None, caller, (caller,))
    segment = made.add(held)
    assert segment is not None
    segment.know(held, Usage(0.2), missed=30.0)
    for at in (0.205, 0.21, 0.215):
        made.add(Sample(Usage(at), None, 1, None, later, (later,)))
    assert blocks(made, 0.22) == [("caller.py:1 <module>", 0.215)]


@pytest.mark.parametrize(("asleep", "starved"), [(False, 0.08), (True, 0.05)])
def test_a_wait_for_cpu_counts_where_it_began_and_is_told_later(
    asleep: bool, starved: float
) -> None:
    """The kernel tells of a wait when it is over, which may be in the next task's run."""
    made = stretch()
    first = Sample(Usage(0.02), None, 1, None, ONE, (ONE,), slept=asleep)
    segment = made.add(first)
    assert segment is not None
    segment.know(first, Usage(0.02), missed=0.0)
    made.add(Sample(Usage(0.12, starved=0.08), None, 2, None, OTHER, (OTHER,)))
    made.add(Sample(Usage(0.3, starved=0.08), None, 2, None, OTHER, (OTHER,)))
    one, other = made.blocks(0.0, Usage(0.3, starved=0.08))
    assert one.starved == pytest.approx(starved)
    assert other.starved == pytest.approx(0.05)


def test_a_wait_counts_though_the_kernel_was_asked_late() -> None:
    """Who looks may get no CPU itself, between its look and its question."""
    made = stretch((0.02, 1, ONE))
    sample = Sample(Usage(0.1), None, 2, None, OTHER, (OTHER,))
    segment = made.add(sample)
    assert segment is not None
    segment.know(sample, Usage(0.3, starved=0.23), missed=0.0)
    _, other = made.blocks(0.0, Usage(0.32, starved=0.23))
    assert other.starved == pytest.approx(0.23)


@pytest.mark.parametrize(("asleep", "began"), [(True, 0.03), (False, 0.005)])
def test_who_sleeps_begins_after_the_cpu_that_was_burnt_and_waited_for_before(
    asleep: bool, began: float
) -> None:
    made = Stretch(0.0, 0.01, Usage(0.0, 1.0, 2.0))
    made.add(Sample(Usage(0.04, 1.01, 2.02), None, 1, None, ONE, (ONE,), slept=asleep))
    (block,) = made.blocks(THRESHOLD, Usage(0.2, 1.01, 2.02))
    assert block.start == pytest.approx(began)
