"""Whatever is asked for, neither the number of series nor the memory grows with it."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from stack.environment import REPOSITORY
from tests.truth.sink import Sink, sink

MIB = 1024 * 1024


def grown(count: int, collector: Sink) -> list[dict[str, int]]:
    """What was there after each tenth of `count` requests."""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-m", "tests.soak.requests", str(count)],
        cwd=REPOSITORY,
        env={**os.environ, "OTEL_EXPORTER_OTLP_ENDPOINT": collector.address},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_random_requests_make_no_series() -> None:
    with sink(keep=False) as collector:
        found = grown(5_000, collector)
    assert found[-1]["series"] == found[0]["series"]
    assert collector.requests


@pytest.mark.slow
@pytest.mark.timeout(3000)
@pytest.mark.proves("What must be shown", "a million random requests: series count and memory flat")
def test_a_million_random_requests_leave_series_and_memory_flat() -> None:
    with sink(keep=False) as collector:
        found = grown(1_000_000, collector)
    assert found[-1]["series"] == found[0]["series"]
    # The allocator rounds up to its arenas; a single attribute kept a request would be 80 MiB.
    assert found[-1]["resident"] - found[1]["resident"] < 5 * MIB, found
    assert found[-1]["objects"] - found[1]["objects"] < 10_000, found
