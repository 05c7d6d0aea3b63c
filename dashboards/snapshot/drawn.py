"""A panel with its data, as the page shows it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

_MANY: Final = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One value; `good` and `bad` say on which side of its threshold, where it has one."""

    text: str
    url: str = ""
    good: bool = False
    bad: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """What a line of a chart is called, looks like, and was at its end and at its highest."""

    name: str
    colour: str
    dashes: str
    last: str
    largest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One request that a chart shows as a diamond; `url` leads to its trace, where one is known."""

    at: float
    value: float
    trace: str
    url: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """A panel: one of a chart with its legend, tiles, and a table.

    Args:
        title: of the panel.
        description: of the panel.
        empty: what it means that there is nothing.
        chart: what plotly's script draws, as JSON.
        legend: of the chart's lines.
        threshold: where the chart's red line is, or would be if it were not far above.
        requests: how many the chart shows beside its lines.
        omitted: how many lines the chart leaves out, the smallest ones.
        tiles: values, each below its name.
        headings: of the table; `numbers` of them, the last ones, stand above numbers.
        rows: of the table.
    """

    title: str
    description: str
    empty: str
    chart: str = ""
    legend: tuple[Line, ...] = ()
    threshold: str = ""
    requests: int = 0
    omitted: int = 0
    tiles: tuple[tuple[str, Cell], ...] = ()
    headings: tuple[str, ...] = ()
    numbers: int = 0
    rows: tuple[tuple[Cell, ...], ...] = ()

    @property
    def wide(self) -> bool:
        """Whether it needs a row of its own."""
        return bool(self.rows) and len(self.headings) >= _MANY
