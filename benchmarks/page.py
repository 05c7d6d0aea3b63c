"""Puts what was measured into a page, between two marks; the rest of the page stays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from benchmarks import overhead
from benchmarks.children import BenchError
from benchmarks.overhead import MICROSECONDS, Overhead
from benchmarks.results import Part
from benchmarks.targets import table
from commandline import pages

BEGIN: Final = "<!-- measured: written by `make bench ARGS='--write docs/performance.md'` -->"
END: Final = "<!-- end of what is measured -->"


def write(path: Path, machine: str, parts: Mapping[str, Part]) -> None:
    """Replace what stands between the marks of the page.

    Raises:
        BenchError: the page has no marks.
    """
    before, after = around(path)
    texts = [f"{machine}.", runs(parts)]
    texts.append(table(target for part in parts.values() for target in part.targets))
    overheads = [found for part in parts.values() for found in part.overheads]
    if overheads:
        texts += [chart(overheads), overhead.table(overheads)]
    measured = "\n\n".join(texts)
    path.write_text(f"{before}\n\n{measured}\n\n{after}")


def around(path: Path) -> tuple[str, str]:
    """What stands before and after the figures of the page, its marks included.

    Raises:
        BenchError: the page has no marks.
    """
    try:
        return pages.around(path.read_text(), BEGIN, END)
    except ValueError:
        raise BenchError(f"{path} has no line {BEGIN!r} with {END!r} after it") from None


def runs(parts: Mapping[str, Part]) -> str:
    """What was run of each part, and beside what, in Markdown."""
    lines = ["| part | run | load average before |", "|---|---|---|"]
    lines += [f"| {name} | {part.extent} | {part.load:.1f} |" for name, part in parts.items()]
    return "\n".join(lines)


def chart(overheads: Sequence[Overhead]) -> str:
    """The medians as a bar chart of Mermaid."""
    names = ", ".join(f'"{found.variant}"' for found in overheads)
    values = ", ".join(f"{found.middle * MICROSECONDS:.0f}" for found in overheads)
    return "\n".join(
        [
            "```mermaid",
            "xychart-beta horizontal",
            '    title "CPU a request over the bare application, in microseconds"',
            f"    x-axis [{names}]",
            '    y-axis "µs"',
            f"    bar [{values}]",
            "```",
        ]
    )
