"""Puts the rule files together, writes them, and tells where committed ones differ."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from alerts import (
    causes,
    errors,
    naive,
    objectives,
    overrides,
    signals,
    tail,
    targets,
    traffic,
    views,
    watchers,
    work,
)
from alerts.config import Plan
from alerts.links import Links
from alerts.model import Group
from alerts.render import rule_file
from instrumentation.contract.slo import DEFAULTS

if TYPE_CHECKING:
    from collections.abc import Callable

    from instrumentation.contract.slo import Numbers

GENERATED: Final = Path(__file__).parent / "generated"

_FILES: Final[dict[str, Callable[[Numbers], tuple[Group, ...]]]] = {
    "tail.yml": tail.groups,
    "errors.yml": errors.groups,
    "objectives.yml": objectives.groups,
    "traffic.yml": traffic.groups,
    "targets.yml": targets.groups,
    "views.yml": views.groups,
    "signals.yml": signals.groups,
    "causes.yml": causes.groups,
    "work.yml": work.groups,
    "watchers.yml": watchers.groups,
    "naive.yml": naive.groups,
}


EVERYBODY: Final = Plan()
"""The defaults, for all services: what is committed."""


def groups(numbers: Numbers = DEFAULTS) -> tuple[Group, ...]:
    """Return every group of rules, made with the same numbers for all services."""
    return tuple(group for make in _FILES.values() for group in make(numbers))


def planned(plan: Plan) -> dict[str, tuple[Group, ...]]:
    """Return each rule file's groups. Raises ValueError for a key that nothing reads."""
    overrides.demand_effect(plan, tuple(_FILES.values()))
    return {name: overrides.groups(plan, make) for name, make in _FILES.items()}


def rule_files(plan: Plan = EVERYBODY, links: Links | None = None) -> dict[str, str]:
    """Return each rule file's name and text. Raises ValueError for a key that nothing reads."""
    return {name: rule_file(groups, links or Links()) for name, groups in planned(plan).items()}


def write(folder: Path, files: dict[str, str]) -> None:
    """Write rule files, and remove those of an earlier generation that exist no more."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")
    for path in folder.glob("*.yml"):
        if path.name not in files:
            path.unlink()


def differences(folder: Path, files: dict[str, str]) -> list[str]:
    """Name the files of a folder that are missing, superfluous or unlike the generated ones."""
    found = {path.name: path.read_text(encoding="utf-8") for path in folder.glob("*.yml")}
    return sorted(name for name in found.keys() | files if found.get(name) != files.get(name))
