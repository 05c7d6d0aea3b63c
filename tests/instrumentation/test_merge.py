"""What dead processes left is merged, once, whatever happens midway."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.mmap_dict import MmapedDict, mmap_key
from prometheus_client.multiprocess import MultiProcessCollector

from instrumentation.export import merge
from instrumentation.export.directory import Directory


class KilledError(Exception):
    """The process was killed here."""


@pytest.fixture
def dead() -> int:
    """The number of a process that has ended."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


@pytest.fixture
def sleeper() -> Iterator[int]:
    """The number of a process that runs, and has nothing to do with any of this."""
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    yield process.pid
    process.communicate(b"\n")


def write(folder: Path, kind: str, pid: int | str, value: float, name: str = "a_total") -> Path:
    """Write one series as prometheus-client does in a process of this number."""
    path = folder / f"{kind}_{pid}.db"
    mapped: Any = MmapedDict
    file = mapped(str(path))
    file.write_value(mmap_key("a", name, ["route"], ["/x"], "Help."), value, 0.0)
    file.close()
    return path


def age(folder: Path) -> None:
    """Make every file look as if it hadn't been written to for an hour."""
    for path in folder.glob("*.db"):
        os.utime(path, (path.stat().st_atime, path.stat().st_mtime - 3600))


def told(folder: Path) -> dict[str, float]:
    """What a scrape reads, by the name of the sample."""
    metrics = Directory(folder).collect()
    return {sample.name: sample.value for metric in metrics for sample in metric.samples}


@pytest.mark.proves(
    "Processes", "a dead worker's counters and histograms are merged atomically: files are bounded"
)
@pytest.mark.parametrize("step", range(1, 9))
def test_a_merge_that_is_killed_at_any_step_loses_and_doubles_nothing(
    tmp_path: Path, dead: int, monkeypatch: pytest.MonkeyPatch, step: int
) -> None:
    write(tmp_path, "counter", dead, 5)
    merge.bury(tmp_path)
    write(tmp_path, "counter", dead, 3)
    write(tmp_path, "counter", f"{dead}-2-rest", 4)  # of a merge that was killed before it began
    left = step

    def counted(original: Any) -> Any:
        def call(*arguments: Any, **options: Any) -> Any:
            nonlocal left
            left -= 1
            if not left:
                raise KilledError
            return original(*arguments, **options)

        return call

    with monkeypatch.context() as patched:
        for name in ("rename", "unlink"):
            patched.setattr(Path, name, counted(getattr(Path, name)))
        try:
            merge.bury(tmp_path)
        except KilledError:
            assert step < 8, "there are more steps than this test knows"
    assert told(tmp_path) == {"a_total": 12}
    assert len(list(tmp_path.glob("*.db"))) == 1


def test_a_file_with_the_number_of_another_process_is_a_dead_ones(
    tmp_path: Path, sleeper: int
) -> None:
    write(tmp_path, "counter", sleeper, 5)
    write(tmp_path, "gauge_livesum", sleeper, 1, "g")
    age(tmp_path)
    assert told(tmp_path) == {"a_total": 5}
    assert [path.name for path in tmp_path.glob("*.db")] == ["counter_merged-1.db"]


def test_a_file_that_its_process_writes_to_stays(tmp_path: Path) -> None:
    mapped: Any = MmapedDict
    file = mapped(str(tmp_path / f"counter_{os.getpid()}.db"))
    key = mmap_key("a", "a_total", [], [], "Help.")
    file.write_value(key, 1.0, 0.0)
    age(tmp_path)
    assert told(tmp_path) == {"a_total": 1}
    file.write_value(key, 2.0, 0.0)
    assert told(tmp_path) == {"a_total": 2}
    file.close()


@pytest.mark.parametrize(
    ("kind", "expected"),
    [("gauge_sum", 8), ("gauge_max", 5), ("gauge_min", 3), ("summary", 8)],
)
def test_each_kind_is_merged_in_its_own_way(
    tmp_path: Path, dead: int, kind: str, expected: float
) -> None:
    for value in (5, 3):
        write(tmp_path, kind, dead, value, "a")
        merge.bury(tmp_path)
    assert told(tmp_path) == {"a": expected}
    assert len(list(tmp_path.glob("*.db"))) == 1


@pytest.mark.proves("Processes", "a dead worker's live gauges go")
def test_live_gauges_go_and_those_of_mode_all_stay(tmp_path: Path, dead: int) -> None:
    for mode in ("livesum", "livemax", "liveall"):
        write(tmp_path, f"gauge_{mode}", dead, 1, mode)
    write(tmp_path, "gauge_all", dead, 1, "all")
    assert told(tmp_path) == {"all": 1}


def test_histograms_keep_their_buckets(tmp_path: Path, dead: int) -> None:
    mapped: Any = MmapedDict
    for _ in range(3):
        file = mapped(str(tmp_path / f"histogram_{dead}.db"))
        for bound, count in (("0.5", 2.0), ("+Inf", 1.0)):
            key = mmap_key("h", "h_bucket", ["le"], [bound], "Help.")
            file.write_value(key, count, 0.0)
        file.write_value(mmap_key("h", "h_sum", [], [], "Help."), 3.0, 0.0)
        file.close()
        merge.bury(tmp_path)
    (metric,) = Directory(tmp_path).collect()
    found = {(s.name, s.labels.get("le")): s.value for s in metric.samples}
    assert found == {
        ("h_bucket", "0.5"): 6,
        ("h_bucket", "+Inf"): 9,
        ("h_sum", None): 9,
        ("h_count", None): 9,
    }


def test_a_file_that_cannot_be_read_is_set_aside(
    tmp_path: Path, dead: int, caplog: pytest.LogCaptureFixture
) -> None:
    write(tmp_path, "counter", dead, 5)
    merge.bury(tmp_path)
    (tmp_path / f"counter_{dead}.db").write_bytes(b"\xff\x00\x00\x00" + b"\x01" * 200)
    assert told(tmp_path) == {"a_total": 5}
    assert "can't be read" in caplog.text
    assert len(list(tmp_path.glob("*.corrupt"))) == 1


def test_plain_prometheus_client_reads_the_same(tmp_path: Path, dead: int) -> None:
    write(tmp_path, "counter", dead, 5)
    merge.bury(tmp_path)
    collector: Any = MultiProcessCollector
    (metric,) = collector(None, str(tmp_path)).collect()
    assert [sample.value for sample in metric.samples] == [5]
