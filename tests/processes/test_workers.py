"""Several workers of one service, told by any of them through PROMETHEUS_MULTIPROC_DIR."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.mmap_dict import MmapedDict

from tests.processes.server import REQUESTS, gunicorn, running, uvicorn
from tests.stack.running import eventually

Command = Callable[..., list[str]]

servers = pytest.mark.parametrize("command", [uvicorn, gunicorn], ids=["uvicorn", "gunicorn"])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "metrics"
    made.mkdir()
    return made


@pytest.fixture
def environment(folder: Path) -> dict[str, str]:
    return {"PROMETHEUS_MULTIPROC_DIR": str(folder)}


def live_gauges(folder: Path) -> set[str]:
    """The processes that have files of live gauges."""
    return {path.stem.rpartition("_")[2] for path in folder.glob("gauge_live*.db")}


@pytest.mark.proves("Processes", "uvicorn --workers")
@pytest.mark.proves("Processes", "gunicorn with the uvicorn worker")
@servers
def test_every_worker_answers_for_all(
    command: Command, tmp_path: Path, folder: Path, environment: dict[str, str]
) -> None:
    with running(command(2), tmp_path, environment) as server:
        pids = server.pids(2)
        before = server.total(REQUESTS)
        with ThreadPoolExecutor(4) as threads:
            list(threads.map(lambda _: server.answered(), range(50)))
        # A scrape goes to whichever worker takes it: all of ten must say the same.
        assert {server.total(REQUESTS) for _ in range(10)} == {before + 50}
        assert server.total("mark") == 2
        assert pids <= live_gauges(folder)


@pytest.mark.slow
@pytest.mark.proves(
    "Processes", "max_requests recycling: counters never go back, nothing lost or counted twice"
)
@pytest.mark.proves(
    "Processes", "a dead worker's counters and histograms are merged atomically: files are bounded"
)
@pytest.mark.proves("Processes", "a dead worker's live gauges go")
@pytest.mark.parametrize(
    "command",
    [
        pytest.param(uvicorn(2, "--limit-max-requests", "25"), id="uvicorn"),
        pytest.param(gunicorn(2, "--max-requests", "25"), id="gunicorn"),
    ],
)
def test_recycled_workers_lose_nothing_and_count_nothing_twice(
    command: list[str], tmp_path: Path, folder: Path, environment: dict[str, str]
) -> None:
    with running(command, tmp_path, environment) as server:
        seen: list[float] = []
        done = threading.Event()

        def scrape() -> None:
            while not done.is_set():
                seen.append(server.total(REQUESTS))

        watcher = threading.Thread(target=scrape)
        watcher.start()
        server.recycle(5)
        done.set()
        watcher.join()

        assert seen == sorted(seen)
        told = server.total(REQUESTS)
        assert server.agrees(told), f"{told} of {len(server.answers)}, {server.unanswered}"
        assert server.total("imported_total") >= len(set(server.answers))
        eventually(lambda: server.total(REQUESTS) and len(live_gauges(folder)) <= 2)
        # Counters, histograms and two kinds of gauges of two workers, and what is merged.
        assert len(list(folder.glob("*.db"))) <= 2 * 4 + 2


@pytest.mark.slow
@pytest.mark.proves("Processes", "a dead worker's live gauges go")
@servers
def test_what_a_killed_worker_was_doing_is_forgotten_and_what_it_did_is_kept(
    command: Command, tmp_path: Path, folder: Path, environment: dict[str, str]
) -> None:
    with running(command(2), tmp_path, environment) as server:
        server.pids(2)
        counted = server.total(REQUESTS)
        with ThreadPoolExecutor(1) as threads:
            asked = threads.submit(server.ask, "/slow?seconds=60")
            eventually(lambda: server.total("http_server_active_requests") == 1)
            victim = _busy(folder)
            os.kill(victim, signal.SIGKILL)
            assert asked.result() is None
        eventually(lambda: server.total("http_server_active_requests") == 0)
        assert str(victim) not in live_gauges(folder)
        assert server.total(REQUESTS) == counted
        assert str(victim) not in server.pids(2)


def _busy(folder: Path) -> int:
    """The process whose file says that it has a request in progress."""
    for path in folder.glob("gauge_livesum_*.db"):
        read: Any = MmapedDict.read_all_values_from_file
        for key, value, _, _ in read(str(path)):
            if "http_server_active_requests" in key and value == 1:
                return int(path.stem.rpartition("_")[2])
    raise AssertionError("nobody is busy")


@pytest.mark.slow
@pytest.mark.proves("Processes", "the directory is emptied only when the master starts")
@servers
def test_the_directory_is_emptied_when_the_master_starts_and_at_no_other_time(
    command: Command, tmp_path: Path, folder: Path, environment: dict[str, str]
) -> None:
    with running(command(2), tmp_path, environment) as server:
        first = server.pids(2)
        for pid in first:
            os.kill(int(pid), signal.SIGKILL)
        eventually(lambda: not server.pids(2) & first)
        counted = server.total(REQUESTS)
        assert counted >= 4
        assert server.total("imported_total") == 4
    with running(command(2), tmp_path, environment) as server:
        server.pids(2)
        assert server.total("imported_total") == 2
