"""Findings and culprits brought together, what costs most first."""

from __future__ import annotations

import ast
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from instrumentation.audit.culprits import Culprit
from instrumentation.audit.findings import Finding

_UNKNOWN: Final = (
    "an asynchronous library, await asyncio.to_thread(...), or a process for computations"
)
_NO_LINE: Final = {
    "gc": "pauses of the garbage collector: fewer objects that live long, or gc.freeze()",
    "_overflow": "lines beyond the series limit, not told apart",
}


@dataclass
class Place:
    """A place in the code, with what was read and what was seen there."""

    path: Path | None
    line: int
    finding: Finding | None = None
    culprit: Culprit | None = None

    def cost(self) -> tuple[float, str, int]:
        """The order of the report: the time lost, then the place."""
        seconds = self.culprit.seconds if self.culprit else 0.0
        return -seconds, str(self.path or ""), self.line


def rank(
    findings: Sequence[Finding], culprits: Sequence[Culprit], paths: Sequence[Path]
) -> list[Place]:
    """Every place, the one that has held the event loop longest first."""
    places = [Place(item.path, item.line, finding=item) for item in findings]
    files = list(_sources(paths)) if culprits else []
    for culprit in culprits:
        place = next((place for place in places if _is_at(culprit, place)), None)
        if place is not None and place.culprit is None:
            place.culprit = culprit
        else:
            places.append(Place(_path(culprit, files), culprit.line, culprit=culprit))
    return sorted(places, key=Place.cost)


def text(places: Sequence[Place], measured: bool) -> str:
    """The report; the last line sums it up.

    Arguments:
        measured: whether a running service was asked.
    """
    lines = [line for place in places for line in (*_describe(place), "")]
    return "\n".join([*lines, _summary(places, measured)]) + "\n"


def _describe(place: Place) -> Iterator[str]:
    culprit, finding = place.culprit, place.finding
    where = f"{_shown(place.path)}:{place.line}" if place.path else culprit.name if culprit else ""
    yield where + (f"  {_lost(culprit)}" if culprit else "")
    source = _source(place)
    if source:
        yield f"    {source}"
    if finding:
        yield f"    {finding.rule}: {finding.message}"
        yield f"    instead: {finding.alternative()}"
    elif culprit:
        yield f"    instead: {_UNKNOWN}" if culprit.line else f"    {_what(culprit)}"


def _lost(culprit: Culprit) -> str:
    times = "once" if culprit.blocks == 1 else f"{culprit.blocks} times"
    routes = ", ".join(sorted(culprit.routes)) or "no request"
    return f"held the event loop {times}, for {culprit.seconds:.2f} s, in {routes}"


def _what(culprit: Culprit) -> str:
    return _NO_LINE.get(culprit.name, "the service could not tell the line")


def _summary(places: Sequence[Place], measured: bool) -> str:
    readable = sum(place.finding is not None for place in places)
    calls = "1 blocking call" if readable == 1 else f"{readable} blocking calls"
    found = f"{calls} in asynchronous functions" if readable else "No blocking call was found"
    if not measured:
        return f"{found}; --metrics URL ranks by what the running service has lost."
    seconds = sum(place.culprit.seconds for place in places if place.culprit)
    seen = sum(place.culprit is not None for place in places)
    if not seen:
        return f"{found}; the running service has reported none."
    return f"{found}; the running service has lost {seconds:.2f} s to {seen} of these places."


def _is_at(culprit: Culprit, place: Place) -> bool:
    finding = place.finding
    if finding is None or finding.path.name != culprit.file:
        return False
    in_range = finding.line <= culprit.line <= finding.last_line
    return in_range and _function(finding.path, culprit.line) == culprit.function


def _path(culprit: Culprit, files: Sequence[Path]) -> Path | None:
    """The file of a culprit, which the service tells by its name alone; None if several fit."""
    fitting = [
        path
        for path in files
        if path.name == culprit.file and _function(path, culprit.line) == culprit.function
    ]
    return fitting[0] if len(fitting) == 1 else None


def _function(path: Path, line: int) -> str:
    """The name of the function around a line, as a culprit has it."""
    try:
        tree = ast.parse(path.read_bytes())
    except (OSError, SyntaxError, ValueError):
        return ""
    name = "<module>"
    for node in ast.walk(tree):  # outer functions come before those inside them
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            first = min((node.lineno, *(decorator.lineno for decorator in node.decorator_list)))
            if first <= line <= (node.end_lineno or first):
                name = node.name
    return name


def _sources(paths: Sequence[Path]) -> Iterator[Path]:
    for path in paths:
        if path.is_file():
            yield path.absolute()
        for folder, folders, names in os.walk(path):
            folders[:] = [name for name in folders if not name.startswith(".")]
            yield from (Path(folder, name).absolute() for name in names if name.endswith(".py"))


def _shown(path: Path) -> str:
    """Relative where it is below the working directory, as a terminal links it."""
    here = Path.cwd()
    return str(path.relative_to(here)) if path.is_relative_to(here) else str(path)


def _source(place: Place) -> str:
    if place.path is None:
        return ""
    try:
        lines = place.path.read_text(errors="replace").splitlines()
        return lines[place.line - 1].strip()
    except (OSError, IndexError):
        return ""
