"""The drill's result: one row for each scenario."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

_HEAD: Final = ("row", "fault", "page after", "evidence", "resolved after")


@dataclass
class Row:
    """What came of a scenario.

    Args:
        name: the scenario's.
        fault: what was done to the demo.
        page_seconds: seconds from the fault to the page; None where none came.
        evidence: the culprit's trace, or the requests expected and seen.
        resolved_seconds: seconds from the fault's end to the resolved message.
        missing: what did not come; empty for a row that is whole.
    """

    name: str
    fault: str
    page_seconds: float | None = None
    evidence: str = ""
    resolved_seconds: float | None = None
    missing: str = ""

    @property
    def cells(self) -> tuple[str, ...]:
        """The row's texts."""
        return (
            self.name,
            self.fault,
            _seconds(self.page_seconds),
            self.evidence or "missing",
            _seconds(self.resolved_seconds),
        )


def table(rows: Iterable[Row]) -> str:
    """Return the rows below a head, in columns."""
    lines = [_HEAD, *(row.cells for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(_HEAD))]
    lines.insert(1, tuple("-" * width for width in widths))
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )


def _seconds(value: float | None) -> str:
    return "missing" if value is None else f"{value:.0f} s"
