"""What a dashboard consists of, whoever draws it: Grafana or a snapshot."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dashboards.links import Link

Unit = Literal["seconds", "ratio", "requests", "number", "bytes", "since", "state", "text"]
"""`since` is a time in milliseconds, `state` is 1 for what is so and 0 for what is over."""
Role = Literal[
    "requests", "errors", "median", "p95", "tail", "past", "used", "limit", "waiting", "budget"
]
"""What a line stands for; it has the same colour everywhere."""


@dataclass(frozen=True, slots=True)
class Query:
    """One line, or one for each set of labels.

    Args:
        expression: PromQL, from the contract.
        legend: Grafana's template of the line's name.
        role: gives the colour; without one each set of labels has its own.
        exemplars: draw the exemplars, which link to their traces, beside the lines.
    """

    expression: str
    legend: str
    role: Role | None = None
    exemplars: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Graph:
    """Lines over time.

    Args:
        title: the question that the panel answers.
        description: how it is computed, and what to make of it.
        unit: of the vertical axis.
        queries: at most 26.
        empty: what it means that there is nothing to draw.
        threshold: a value to mark with a line, in the unit.
        links: where a click on a line leads.
        step: the shortest step in seconds; 0 leaves it to the width.
        negative: the axis may go below zero.
    """

    title: str
    description: str
    unit: Unit
    queries: tuple[Query, ...]
    empty: str
    threshold: float | None = None
    links: tuple[Link, ...] = ()
    step: int = 0
    negative: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Stat:
    """The newest value in large digits: green from `least` on, red below."""

    title: str
    description: str
    unit: Unit
    queries: tuple[Query, ...]
    empty: str
    least: float
    links: tuple[Link, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One value in each line of a table; red above `threshold`."""

    title: str
    expression: str
    unit: Unit
    threshold: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A line for each set of labels, the first column's largest value on top.

    Args:
        title: the question that the panel answers.
        description: how it is computed, and what to make of it.
        labels: those that identify a line, each with its heading.
        columns: the values; the first one decides which lines there are, and their order.
        empty: what it means that there is no line.
        links: where a click on a label's heading leads, by label.
    """

    title: str
    description: str
    labels: tuple[tuple[str, str], ...]
    columns: tuple[Column, ...]
    empty: str
    links: Mapping[str, tuple[Link, ...]] = field(default_factory=dict)

    @property
    def queries(self) -> tuple[Query, ...]:
        """Its columns, as every other panel has them."""
        return tuple(Query(each.expression, each.title) for each in self.columns)


Panel = Graph | Stat | Table


@dataclass(frozen=True, slots=True)
class Row:
    """A heading with panels side by side below it; `height` in Grafana's cells."""

    title: str
    panels: tuple[Panel, ...]
    height: int = 8


@dataclass(frozen=True, slots=True)
class Variable:
    """What is chosen on top: a label's values, or one of the `options`.

    `query` is Grafana's `label_values(...)`; `several` allows more than one and all.
    """

    name: str
    title: str
    query: str = ""
    several: bool = False
    options: tuple[str, ...] = ()
    default: str = ""
    hidden: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Board:
    """One dashboard.

    Args:
        name: of its file, and in commands.
        uid: Grafana's identifier, in addresses.
        title: what it is called.
        description: whom it helps with what.
        since: start of the range that it opens with, such as `now-30m`.
        refresh: how often it asks anew, such as `10s`; empty for never.
        variables: each may be narrowed by those before it.
        releases: mark each new version of a service.
        rows: from the top down.
    """

    name: str
    uid: str
    title: str
    description: str
    since: str
    refresh: str
    variables: tuple[Variable, ...]
    rows: tuple[Row, ...]
    releases: str = ""

    @property
    def panels(self) -> tuple[Panel, ...]:
        """Every panel, row after row."""
        return tuple(panel for row in self.rows for panel in row.panels)
