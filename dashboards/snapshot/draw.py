"""Draws a panel: lines with plotly, tables and large digits as plain values."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

import plotly.graph_objects as go
import plotly.io

from dashboards import colours
from dashboards.model import Graph, Stat, Table
from dashboards.snapshot.filling import filled
from dashboards.snapshot.values import legend, spelled

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dashboards.model import Panel, Query, Unit
    from dashboards.snapshot.filling import Range
    from dashboards.snapshot.prometheus import Prometheus, Series

_MOST_LINES: Final = 20
_TICKS: Final[dict[Unit, str]] = {"ratio": ".3~%", "seconds": ".3~s", "bytes": ".3~s"}
_SUFFIXES: Final[dict[Unit, str]] = {"seconds": "s", "bytes": "B"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One value; `bad` beyond its threshold."""

    text: str
    bad: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """A panel with its data: `chart` is HTML, `headings` and `lines` are a table."""

    title: str
    description: str
    empty: str
    chart: str = ""
    headings: tuple[str, ...] = ()
    lines: tuple[tuple[Cell, ...], ...] = ()


class Painter:
    """Draws panels of one range from one Prometheus."""

    def __init__(self, prometheus: Prometheus, seen: Range, values: Mapping[str, str]) -> None:
        self._prometheus = prometheus
        self._seen = seen
        self._values = values

    def draw(self, panel: Panel) -> Drawn:
        """Ask and draw."""
        if isinstance(panel, Graph):
            return self._graph(panel)
        return self._stat(panel) if isinstance(panel, Stat) else self._table(panel)

    def _graph(self, graph: Graph) -> Drawn:
        step = self._seen.step(graph.step)
        lines = [
            (query, series)
            for query in graph.queries
            for series in self._prometheus.over(
                self._filled(query.expression, step), self._seen, step
            )
        ]
        drawn = sorted(lines, key=lambda line: -_largest(line[1]))[:_MOST_LINES]
        chart = _chart(graph, [line for line in lines if line in drawn]) if lines else ""
        return Drawn(
            title=graph.title, description=graph.description, empty=graph.empty, chart=chart
        )

    def _stat(self, stat: Stat) -> Drawn:
        lines = tuple(
            (
                Cell(text=legend(query.legend, series.labels)),
                Cell(text=spelled(series.last, stat.unit), bad=series.last < stat.least),
            )
            for query in stat.queries
            for series in self._now(query.expression)
        )
        return Drawn(title=stat.title, description=stat.description, empty=stat.empty, lines=lines)

    def _table(self, table: Table) -> Drawn:
        """Join the columns by their labels; the first column decides which lines there are."""
        names = [label for label, _ in table.labels]
        columns = [
            {tuple(each.labels.get(name, "") for name in names): each.last for each in found}
            for found in (self._now(column.expression) for column in table.columns)
        ]
        keys = sorted(columns[0], key=lambda key: -columns[0][key])
        lines = tuple(
            (
                *(Cell(text=value) for value in key),
                *(
                    Cell(
                        text=spelled(values[key], column.unit) if key in values else "",
                        bad=column.threshold is not None and values.get(key, 0) > column.threshold,
                    )
                    for column, values in zip(table.columns, columns, strict=True)
                ),
            )
            for key in keys
        )
        headings = tuple(heading for _, heading in table.labels)
        return Drawn(
            title=table.title,
            description=table.description,
            empty=table.empty,
            headings=(*headings, *(column.title for column in table.columns)),
            lines=lines,
        )

    def _now(self, expression: str) -> tuple[Series, ...]:
        step = self._seen.step()
        return self._prometheus.at(self._filled(expression, step), self._seen.end)

    def _over(self, expression: str, step: float) -> tuple[Series, ...]:
        return self._prometheus.over(self._filled(expression, step), self._seen, step)

    def _filled(self, expression: str, step: float) -> str:
        return filled(expression, self._values, self._seen, step)


def _largest(series: Series) -> float:
    # NaN is no order.
    return max((value for _, value in series.points if value == value), default=0)


def _chart(graph: Graph, lines: list[tuple[Query, Series]]) -> str:
    figure = go.Figure()
    for at, (query, series) in enumerate(lines):
        figure.add_trace(
            go.Scatter(
                x=[datetime.fromtimestamp(time, UTC) for time, _ in series.points],
                y=[value for _, value in series.points],
                name=legend(query.legend, series.labels),
                mode="lines+markers" if len(series.points) == 1 else "lines",
                line=_style(query, at),
            )
        )
    if graph.threshold is not None:
        figure.add_hline(y=graph.threshold, line={"color": colours.BAD, "dash": "dash", "width": 1})
    figure.update_layout(**_layout(graph))
    html: str = plotly.io.to_html(
        figure,
        full_html=False,
        include_plotlyjs=False,
        config={"displayModeBar": False, "responsive": True},
    )
    return html


def _style(query: Query, at: int) -> dict[str, Any]:
    colour = colours.ROLES[query.role] if query.role else colours.SERIES[at % len(colours.SERIES)]
    return {"color": colour, "width": 1.5, "dash": "dash" if query.role == "past" else "solid"}


def _layout(graph: Graph) -> dict[str, Any]:
    """Transparent, in a grey that is read on white and on black."""
    grid = {"gridcolor": "rgba(128,128,128,0.25)", "zeroline": False}
    return {
        "height": 300,
        "margin": {"l": 8, "r": 8, "t": 8, "b": 8},
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "font": {"color": "#808080", "size": 12},
        "showlegend": True,
        "legend": {"orientation": "h", "y": -0.15, "font": {"size": 11}},
        "hovermode": "x unified",
        "xaxis": grid,
        "yaxis": {
            **grid,
            "tickformat": _TICKS.get(graph.unit, ""),
            "ticksuffix": _SUFFIXES.get(graph.unit, ""),
            "rangemode": "normal" if graph.negative else "tozero",
            "automargin": True,
        },
    }
