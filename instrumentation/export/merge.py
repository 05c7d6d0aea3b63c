"""Files of dead processes, merged into one for each kind of metric.

prometheus-client names a process's files `<kind>_<pid>.db`. Whoever reads the directory adds up
every one of them, so replacing several by their sum has to happen in one step: here it is the
renaming of the merged file, whose name carries a generation. What a dead process left is first
renamed to carry the next generation; once a merged file of that generation exists, it counts and
they don't, whether they are gone already or not. A merge that was killed midway is thereby either
done or not begun.
"""

from __future__ import annotations

import logging
import os
import re
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from prometheus_client.mmap_dict import MmapedDict

from instrumentation.export import liveness

logger = logging.getLogger("instrumentation")

_NAME = re.compile(
    r"(?P<kind>counter|histogram|summary|gauge_[a-z]+)_"
    r"(?:(?P<pid>\d+)(?:-(?P<left>\d+)-\w+)?|merged-(?P<merged>\d+))\.db"
)
_Value = tuple[float, float]
"""A value and the time of it, which only gauges of the most recent value have."""


def _added(one: _Value, other: _Value) -> _Value:
    return one[0] + other[0], 0.0


_COMBINED: Final[dict[str, Callable[[_Value, _Value], _Value]]] = {
    "counter": _added,
    "histogram": _added,
    "summary": _added,
    "gauge_sum": _added,
    "gauge_max": max,
    "gauge_min": min,
    "gauge_mostrecent": lambda one, other: max(one, other, key=lambda value: value[1]),
}
"""How the values of two processes become one. A gauge of mode `all` stays a series each."""


@dataclass(frozen=True, slots=True)
class File:
    """One file of the directory, as its name describes it.

    Attributes:
        path: where it is.
        kind: the metrics that it holds, with the mode of gauges.
        pid: the process that wrote it; None for a merged one.
        generation: of a merged file, or the one that a dead process's file is to be part of; 0
            for a file that its process may still write.
    """

    path: Path
    kind: str
    pid: int | None
    generation: int

    @property
    def is_merged(self) -> bool:
        """Whether it holds what several processes left."""
        return self.pid is None


def files(folder: Path) -> Iterator[File]:
    """Every file that prometheus-client or a merge wrote."""
    for path in sorted(folder.glob("*.db")):
        named = _NAME.fullmatch(path.name)
        if named:
            pid = named["pid"]
            generation = int(named["merged"] or named["left"] or 0)
            yield File(path, named["kind"], int(pid) if pid else None, generation)


def bury(folder: Path) -> None:
    """Remove the live gauges of dead processes, and merge what else they left.

    Nobody else may change or read the folder meanwhile.
    """
    kinds: dict[str, list[File]] = {}
    for file in files(folder):
        kinds.setdefault(file.kind, []).append(file)
    for kind, found in kinds.items():
        if kind.startswith("gauge_live"):
            for file in filter(_is_left, found):
                file.path.unlink(missing_ok=True)
        elif kind in _COMBINED:
            _merge(folder, kind, found)


def _is_left(file: File) -> bool:
    """Whether the process that wrote `file` is gone."""
    return not file.generation and not (file.pid and liveness.writes(file.pid, file.path))


def _merge(folder: Path, kind: str, found: list[File]) -> None:
    done = max((file.generation for file in found if file.is_merged), default=0)
    current = [file.path for file in found if file.is_merged and file.generation == done]
    for file in found:
        superseded = file.generation < done if file.is_merged else 0 < file.generation <= done
        if superseded:
            file.path.unlink()
    parts = [file.path for file in found if not file.is_merged and file.generation > done]
    parts += [_renamed(file, done + 1) for file in found if _is_left(file)]
    if not parts:
        return
    values: dict[str, _Value] = {}
    for path in current + parts:
        _add(values, path, _COMBINED[kind])
    written = _written(folder / f"{kind}.tmp", values)
    written.rename(folder / f"{kind}_merged-{done + 1}.db")
    for path in current + parts:
        path.unlink(missing_ok=True)


def _renamed(file: File, generation: int) -> Path:
    """The file under a name that no process will ever write to, whatever its number."""
    name = f"{file.kind}_{file.pid}-{generation}-{uuid.uuid4().hex[:8]}.db"
    return file.path.rename(file.path.with_name(name))


def _add(
    values: dict[str, _Value], path: Path, combined: Callable[[_Value, _Value], _Value]
) -> None:
    try:
        read = list(_read(path)) if path.stat().st_size else []
    except Exception:
        aside = path.with_suffix(".corrupt")
        logger.exception("%s can't be read: its metrics are lost, it is kept as %s", path, aside)
        os.rename(path, aside)
        return
    for key, value in read:
        values[key] = combined(values[key], value) if key in values else value


def _read(path: Path) -> Iterator[tuple[str, _Value]]:
    read: Any = MmapedDict.read_all_values_from_file
    for key, value, timestamp, _position in read(str(path)):
        yield key, (value, timestamp)


def _written(path: Path, values: dict[str, _Value]) -> Path:
    path.unlink(missing_ok=True)
    mapped: Any = MmapedDict
    into = mapped(str(path))
    for key, (value, timestamp) in values.items():
        into.write_value(key, value, timestamp)
    into.close()
    return path
