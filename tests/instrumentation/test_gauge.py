"""What is going on: the difference of what began and what ended."""

from __future__ import annotations

import threading

import pytest
from prometheus_client import CollectorRegistry

from instrumentation.gauge import Ongoing


@pytest.fixture
def registry() -> CollectorRegistry:
    return CollectorRegistry()


@pytest.fixture
def child(registry: CollectorRegistry) -> Ongoing:
    found: Ongoing = Ongoing("a", "a", ["method"], registry=registry).labels("GET")
    return found


def value(registry: CollectorRegistry) -> float | None:
    return registry.get_sample_value("a", {"method": "GET"})


def test_reading_changes_nothing(registry: CollectorRegistry, child: Ongoing) -> None:
    assert [value(registry) for _ in range(3)] == [0, 0, 0]
    child.began()
    child.began()
    assert [value(registry) for _ in range(3)] == [2, 2, 2]
    child.ended()
    assert [value(registry) for _ in range(3)] == [1, 1, 1]


def test_every_thread_counts_and_reads(registry: CollectorRegistry, child: Ongoing) -> None:
    read: list[float | None] = []
    child.began()

    def work() -> None:
        for _ in range(50_000):
            child.began()
            child.ended()

    def reads() -> None:
        for _ in range(10_000):
            read.append(value(registry))

    threads = [threading.Thread(target=each) for each in (work, work, work, work, reads, reads)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert value(registry) == 1
    assert min(number or 0 for number in read) >= 1


def test_two_that_read_at_once_read_the_same(child: Ongoing) -> None:
    child.began()
    ended, between, go = child.ended, threading.Event(), threading.Event()

    def slowly() -> int:
        number: int = ended()
        between.set()
        go.wait()
        return number

    child.ended = slowly
    read: list[float] = []
    threads = [threading.Thread(target=lambda: read.append(child._difference())) for _ in range(2)]
    threads[0].start()
    between.wait()
    child.ended = ended
    threads[1].start()
    threads[1].join(0.2)
    go.set()
    for thread in threads:
        thread.join()
    assert read == [1, 1]
