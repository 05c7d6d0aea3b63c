"""The marks in the tests' source, found without running or importing a test."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True, order=True)
class Proof:
    """One test that proves one line; `test` is pytest's name of it, without parameters."""

    area: str
    line: str
    test: str


class MarkError(ValueError):
    """A mark that can't be read without running it."""


def proofs(folder: Path = ROOT / "tests") -> list[Proof]:
    """Every mark below `folder`, in the order of files and lines.

    Raises:
        MarkError: a mark's arguments aren't two texts, or it is on something else than a test.
    """
    return [proof for path in sorted(folder.rglob("test_*.py")) for proof in _in_file(path)]


def _in_file(path: Path) -> Iterator[Proof]:
    source = path.read_text()
    if "proves(" not in source:
        return
    tree = ast.parse(source)
    name = path.relative_to(ROOT).as_posix()
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            for mark in filter(_is_mark, node.decorator_list):
                area, line = _arguments(mark, name)
                yield Proof(area, line, f"{name}::{node.name}")


def _is_mark(node: ast.expr) -> bool:
    return ast.unparse(node).startswith("pytest.mark.proves(")


def _arguments(mark: ast.expr, name: str) -> tuple[str, str]:
    values = mark.args if isinstance(mark, ast.Call) else []
    texts = [
        value.value
        for value in values
        if isinstance(value, ast.Constant) and isinstance(value.value, str)
    ]
    if len(values) != 2 or len(texts) != 2:
        raise MarkError(f"{name}:{mark.lineno}: proves() takes two texts: the area and the line")
    return texts[0], texts[1]
