"""What was measured, part by part, in a file: a part that is run again replaces its own figures."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from benchmarks.overhead import Overhead
from benchmarks.targets import Target

FILE: Final = Path("var/bench.json")


@dataclass(frozen=True)
class Part:
    """The figures of one part.

    Args:
        extent: what was run, such as how many rounds.
        load: the machine's load average before: what else ran on it.
    """

    extent: str
    load: float
    targets: list[Target]
    overheads: list[Overhead]


def load_average() -> float:
    """Of the last minute; 0 where the system has none."""
    return os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0


def machine() -> str:
    """What the figures are of."""
    python = f"Python {platform.python_version()}"
    return f"{python} on {platform.system()} {platform.machine()}, {os.cpu_count()} cores"


def save(name: str, part: Part, file: Path = FILE) -> None:
    """Put a part into the file, in place of an earlier run of it."""
    parts = dict(read(file))
    parts.pop(name, None)
    parts[name] = part
    file.parent.mkdir(exist_ok=True)
    found = {name: _as_json(part) for name, part in parts.items()}
    file.write_text(json.dumps({"machine": machine(), "parts": found}, indent=2) + "\n")


def read(file: Path = FILE) -> Mapping[str, Part]:
    """The parts in the file; none where it was made on another machine, or is not there."""
    try:
        found = json.loads(file.read_text())
    except (OSError, ValueError):
        return {}
    if found.get("machine") != machine():
        return {}
    return {name: _part(part) for name, part in found.get("parts", {}).items()}


def _as_json(part: Part) -> dict[str, Any]:
    targets = [target.as_json() for target in part.targets]
    return {**asdict(part), "targets": targets}


def _part(found: Mapping[str, Any]) -> Part:
    targets = [
        Target(**{name: value for name, value in target.items() if name != "holds"})
        for target in found["targets"]
    ]
    overheads = [Overhead(**one) for one in found["overheads"]]
    return Part(found["extent"], found["load"], targets, overheads)
