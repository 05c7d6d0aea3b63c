"""`docs/conformance.md`: a row for each line, made from marks and results."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from tests.conformance.marks import Proof

Lines = Mapping[str, tuple[str, ...]]

_HEAD = """# Conformance

What the library promises, a row for each line, with the tests that prove it and what became of
them. `make conformance` runs these tests and writes this page; nothing here is written by hand.
"""


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the promise, the tests that prove it, and their common result."""

    area: str
    line: str
    tests: tuple[str, ...]
    result: str


def rows(required: Lines, proofs: Iterable[Proof], outcomes: Mapping[str, str]) -> list[Row]:
    """The required lines in their order, each area followed by what is proved beyond them."""
    found: dict[tuple[str, str], list[str]] = {
        (area, line): [] for area, lines in required.items() for line in lines
    }
    for proof in proofs:
        found.setdefault((proof.area, proof.line), []).append(proof.test)
    areas = list(dict.fromkeys(area for area, _ in found))
    return [
        Row(area, line, tuple(tests), _result(tests, outcomes))
        for (area, line), tests in sorted(found.items(), key=lambda item: areas.index(item[0][0]))
    ]


def lacking(found: Iterable[Row]) -> list[str]:
    """A sentence for each row that isn't shown."""
    return [f"{row.area}: {row.line}: {row.result}" for row in found if row.result != "shown"]


def render(found: Iterable[Row]) -> str:
    """The page."""
    return "\n".join(_page(list(found))) + "\n"


def told(page: str) -> set[tuple[str, str, str]]:
    """Area, line and test of every row of a page, without the results."""
    area, found = "", set()
    for text in page.splitlines():
        if text.startswith("## "):
            area = text.removeprefix("## ")
        cells = text.split(" | ")
        if text.startswith("| ") and len(cells) == 3 and cells[0] != "| line":
            found |= {(area, cells[0][2:], test) for test in _tests(cells[1])}
    return found


def expected(found: Iterable[Row]) -> set[tuple[str, str, str]]:
    """What `told` has to find in an up-to-date page."""
    return {(row.area, row.line, test) for row in found for test in row.tests or ("",)}


def _result(tests: list[str], outcomes: Mapping[str, str]) -> str:
    if not tests:
        return "**missing**"
    results = {outcomes.get(test, "not run") for test in tests}
    for wrong in ("failed", "not run", "skipped"):
        if wrong in results:
            return f"**{wrong}**"
    return "shown"


def _page(found: list[Row]) -> Iterator[str]:
    shown = sum(row.result == "shown" for row in found)
    yield _HEAD
    yield f"{shown} of {len(found)} lines are shown."
    area = None
    for row in found:
        if row.area != area:
            area = row.area
            yield f"\n## {area}\n\n| line | shown by | result |\n|---|---|---|"
        yield f"| {row.line} | {'<br>'.join(map(_link, row.tests))} | {row.result} |"


def _link(test: str) -> str:
    path, _, name = test.partition("::")
    return f"[{name.removeprefix('test_').replace('_', ' ')}](../{path})"


def _tests(cell: str) -> list[str]:
    """The tests that a cell links to; one empty name where it links to none."""
    links = re.findall(r"\[([^]]*)\]\(\.\./([^)]*)\)", cell)
    return [f"{path}::test_{words.replace(' ', '_')}" for words, path in links] or [""]
