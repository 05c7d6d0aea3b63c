"""The proof of the watchdog, in small; `make bench-blocking` is the whole."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from benchmarks.blocking import find, quiet
from benchmarks.blocking.kinds import KINDS, culprits, sleep
from benchmarks.blocking.service import Service, running

ATTEMPTS = 3
MS = 1_000_000


@pytest.fixture(params=["asyncio", "uvloop"])
def service(request: pytest.FixtureRequest) -> Iterator[Service]:
    with running(request.param) as found:
        yield found


def told(**block: Any) -> dict[str, Any]:
    """A service that slept for 100 ms, and what was told of it."""
    (culprit,) = culprits(sleep)
    true = {"kind": "sleep", "route": "/a", "culprits": [culprit], "start": 0, "end": 100 * MS,
            "starved": 0}  # fmt: skip
    right = {
        "event_loop.blocked.culprit": culprit,
        "event_loop.blocked.seconds": 0.1,
        "http.route": "/a",
        "start": 0,
        "end": 100 * MS,
    }
    return {"truth": [true], "blocks": [{**right, **block}], "collections": []}


def test_what_agrees_is_found() -> None:
    result = find.compare(told())
    assert result.good
    assert (result.found, result.misses, result.invented) == (1, [], [])


def test_a_block_without_cpu_counts_neither_way() -> None:
    told_of = told()
    told_of["truth"][0]["starved"] = 50 * MS
    result = find.compare(told_of)
    assert (result.blocks, result.starved, result.invented) == (0, 1, [])


@pytest.mark.parametrize(
    "wrong",
    [
        {"http.route": "/b"},
        {"event_loop.blocked.culprit": "kinds.py:1 sleep"},
        {"event_loop.blocked.seconds": 0.121},
        {"start": 200 * MS, "end": 300 * MS},
    ],
)
def test_another_route_line_length_or_time_is_a_miss(wrong: dict[str, Any]) -> None:
    result = find.compare(told(**wrong))
    assert not result.good
    assert len(result.misses) == 1


def test_a_run_of_the_collector_is_none_unless_the_collector_ran() -> None:
    block = {"event_loop.blocked.culprit": "gc", "start": 0, "end": 100 * MS}
    assert find.is_collection(block, [{"start": 0, "end": 90 * MS}])
    assert not find.is_collection(block, [])


@pytest.mark.parametrize("argument", ["--blocks", "--healthy", "--starved", "--cost"])
@pytest.mark.parametrize("value", ["many", "0"])
def test_a_wrong_argument_is_one_sentence(argument: str, value: str) -> None:
    command = [sys.executable, "-m", "benchmarks.blocking", argument, value]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert ended.returncode == 2
    assert f"argument {argument}: must be a whole number from 1 on, not {value!r}" in ended.stderr


@pytest.mark.slow
def test_blocks_of_all_kinds_are_found_under_load(service: Service) -> None:
    """Again where the machine was too busy to look."""
    for _ in range(ATTEMPTS):
        before = service.told()
        asyncio.run(find.provoke(service, 5 * len(KINDS)))
        after = service.told()
        result = find.compare({**after, **{key: after[key][len(before[key]) :] for key in before
                                           if isinstance(after[key], list)}})  # fmt: skip
        if result.good:
            return
    pytest.fail("\n".join(result.lines()))


@pytest.mark.slow
def test_a_stopped_process_is_no_block(service: Service) -> None:
    result = asyncio.run(quiet.stopped(service))
    assert result.good, result.lines()


@pytest.mark.slow
def test_a_starved_process_is_no_block(service: Service) -> None:
    result = asyncio.run(quiet.starved(service, 5))
    assert result.good, result.lines()


@pytest.mark.slow
def test_a_busy_service_blocks_nothing(service: Service) -> None:
    result = asyncio.run(quiet.healthy(service, 20))
    assert result.good, result.lines()
