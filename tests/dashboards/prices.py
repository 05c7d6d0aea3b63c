"""Reads the table that `python -m dashboards cost` writes."""

from __future__ import annotations

from typing import NamedTuple

from stack.environment import REPOSITORY

PAGE = REPOSITORY / "docs" / "dashboards.md"


class Price(NamedTuple):
    """A row: numbers of queries, of series drawn and of samples read."""

    queries: int
    series: int
    samples: int


def prices(text: str) -> dict[str, Price]:
    """The rows by dashboard."""
    rows = [line.strip("| ").split(" | ") for line in text.splitlines() if line.startswith("| ")]
    return {
        title: Price(*(int(cell.replace(",", "")) for cell in cells))
        for title, _, *cells in (row[:5] for row in rows[1:])
    }
