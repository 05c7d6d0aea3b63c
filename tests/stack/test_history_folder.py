"""A data folder gets its whole past, or none."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from stack.environment import REPOSITORY
from stack.errors import StackError
from stack.history import make as making
from stack.history.blocks import Blocks
from stack.history.make import make
from stack.history.series import instances
from tests.stack.running import eventually

NOW = 1_790_000_050.0
HOUR = 3600
TARGETS = REPOSITORY / "stack" / "targets" / "services.json"


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """A past of two hours, one of them raw."""
    monkeypatch.setattr(making, "RECORDED_SECONDS", 2 * HOUR)
    monkeypatch.setattr(making, "RAW_SECONDS", HOUR)


def times(data: Path) -> tuple[float, float]:
    """Seconds of the first and the last sample in the blocks."""
    metas = [json.loads(path.read_text()) for path in data.glob("*/meta.json")]
    # A block's end is exclusive.
    return (
        min(meta["minTime"] for meta in metas) / 1000,
        (max(meta["maxTime"] for meta in metas) - 1) / 1000,
    )


@pytest.mark.stack
@pytest.mark.usefixtures("short")
def test_the_past_ends_a_scrape_before_now(tmp_path: Path) -> None:
    assert make(tmp_path / "new", TARGETS, "demo", NOW)
    first, last = times(tmp_path / "new")
    assert NOW - 15 - 60 < last <= NOW - 15
    assert last - first == 2 * HOUR


@pytest.mark.stack
@pytest.mark.usefixtures("short")
def test_nothing_but_blocks_is_left(tmp_path: Path) -> None:
    make(tmp_path, TARGETS, "demo", NOW)
    assert all((path / "meta.json").is_file() for path in tmp_path.iterdir())


@pytest.mark.stack
@pytest.mark.usefixtures("short")
def test_a_second_run_changes_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    make(tmp_path, TARGETS, "demo", NOW)
    before = sorted(tmp_path.rglob("*"))
    capsys.readouterr()
    assert not make(tmp_path, TARGETS, "demo", NOW + HOUR)
    assert sorted(tmp_path.rglob("*")) == before
    assert len(capsys.readouterr().out.splitlines()) == 1


def test_a_folder_with_data_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "wal").mkdir()
    assert not make(tmp_path, TARGETS, "demo", NOW)
    assert [path.name for path in tmp_path.iterdir()] == ["wal"]


@pytest.mark.stack
@pytest.mark.usefixtures("short")
def test_a_failure_leaves_the_folder_empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("stack.history.raw.promql.bound", lambda bound: '" broken')
    with pytest.raises(StackError, match="promtool"):
        make(tmp_path, TARGETS, "demo", NOW)
    assert not list(tmp_path.iterdir())


@pytest.mark.stack
def test_a_request_to_stop_leaves_the_folder_empty(tmp_path: Path) -> None:
    process = start(tmp_path)
    eventually(lambda: list(tmp_path.rglob("meta.json")), seconds=60)
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=60) == 130
    assert not list(tmp_path.iterdir())


@pytest.mark.stack
@pytest.mark.usefixtures("short")
def test_what_a_killed_run_left_is_made_anew(tmp_path: Path) -> None:
    process = start(tmp_path)
    eventually(lambda: list(tmp_path.rglob("meta.json")), seconds=60)
    process.kill()
    process.wait()
    assert list(tmp_path.iterdir())
    assert make(tmp_path, TARGETS, "demo", NOW)
    first, last = times(tmp_path)
    assert last - first == 2 * HOUR


@pytest.mark.stack
@pytest.mark.usefixtures("short")
def test_a_run_that_was_killed_while_it_moved_is_completed(tmp_path: Path) -> None:
    whole = tmp_path / "data" / ".history"
    make(tmp_path / "made", TARGETS, "demo", NOW)
    (tmp_path / "data").mkdir()
    (tmp_path / "made").rename(whole)
    blocks = sorted(path.name for path in whole.iterdir())
    assert make(tmp_path / "data", TARGETS, "demo", time.time())
    assert sorted(path.name for path in whole.parent.iterdir()) == blocks


@pytest.mark.stack
def test_samples_of_several_blocks_are_all_written(tmp_path: Path) -> None:
    with Blocks(tmp_path) as blocks:
        for at in range(1_790_000_000, 1_790_000_000 + 200 * HOUR, HOUR):
            blocks.write(at, [f"x {at} {at}\n"])
    assert blocks.samples == 200
    metas = [json.loads(path.read_text()) for path in tmp_path.glob("*/meta.json")]
    assert sum(meta["stats"]["numSamples"] for meta in metas) == 200
    assert len(metas) in (4, 5)


@pytest.mark.parametrize("text", ["", "{}", "[1]", '[{"targets": [], "labels": {"job": "a"}}]'])
def test_targets_of_another_form_are_named(tmp_path: Path, text: str) -> None:
    path = tmp_path / "services.json"
    path.write_text(text)
    with pytest.raises(StackError, match=r"services\.json must list"):
        instances(path, ["orders"])


def start(data: Path) -> subprocess.Popen[bytes]:
    """The command, on its way."""
    return subprocess.Popen(
        [sys.executable, "-m", "stack.history", "--data", str(data)],
        cwd=REPOSITORY,
        env=os.environ,
        stdout=subprocess.DEVNULL,
    )
