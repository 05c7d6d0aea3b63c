"""What the garbage collector is held to account for: the CPU it burnt, not the time it took."""

from __future__ import annotations

import gc
import time
from collections.abc import Iterator
from threading import get_ident

import pytest

from instrumentation.runtime.loop.garbage import Pauses


@pytest.fixture
def pauses() -> Iterator[Pauses]:
    made = Pauses()
    made.start()
    yield made
    made.stop()


def collect(amount: int) -> tuple[float, float]:
    """Collect so many objects in cycles; from when to when."""
    cycles: list[list[object]] = [[] for _ in range(amount)]
    for cycle in cycles:
        cycle.append(cycle)
    start = time.perf_counter()
    del cycles, cycle
    gc.collect()
    return start, time.perf_counter()


def test_a_run_that_burns_cpu_is_remembered_with_its_thread(pauses: Pauses) -> None:
    start, end = collect(500_000)
    assert 0.005 < pauses.within(start, end, get_ident()) <= end - start
    assert pauses.within(start, end, get_ident() + 1) == 0
    assert pauses.within(end, end + 1) == 0


def test_a_run_that_waits_is_not_to_blame(pauses: Pauses) -> None:
    """As it does where others have all CPU."""

    def wait(phase: str, info: dict[str, int]) -> None:
        time.sleep(0.05)

    gc.callbacks.append(wait)
    try:
        start, end = collect(10)
    finally:
        gc.callbacks.remove(wait)
    waited = 2 * 0.05  # as it starts, and when it has ended
    assert pauses.within(start, end) <= end - start - waited
