"""Asks for a panel's data, and draws it: a chart, tiles or a table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from dashboards.model import Graph, Stat
from dashboards.snapshot import chart
from dashboards.snapshot.chart import Curve
from dashboards.snapshot.drawn import Cell, Drawn, Request
from dashboards.snapshot.filling import filled
from dashboards.snapshot.moments import shown, since
from dashboards.snapshot.values import legend, spelled

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from dashboards.model import Column, Panel, Table
    from dashboards.snapshot.filling import Range
    from dashboards.snapshot.prometheus import Prometheus, Series

_MOST_LINES: Final = 20
"""Of a chart; each of its queries has as many of them."""
_MOST_REQUESTS: Final = 40
_PAGES: Final = "critical"
"""The severity of an alert that wakes somebody."""


class Painter:
    """Draws panels of one range from one Prometheus; `page` tells where a trace is shown."""

    def __init__(
        self,
        prometheus: Prometheus,
        seen: Range,
        values: Mapping[str, str],
        page: Callable[[str], str] = lambda _: "",
    ) -> None:
        self._prometheus = prometheus
        self._page = page
        self._seen = seen
        self._values = values

    def draw(self, panel: Panel) -> Drawn:
        """Ask and draw."""
        if isinstance(panel, Graph):
            return self._graph(panel)
        return self._stat(panel) if isinstance(panel, Stat) else self._table(panel)

    def _graph(self, graph: Graph) -> Drawn:
        step = self._seen.step(graph.step)
        most = _MOST_LINES // len(graph.queries)
        shown: list[Curve] = []
        omitted = 0
        for query in graph.queries:
            asked = self._filled(query.expression, step)
            found = self._prometheus.over(asked, self._seen, step)
            curves = [Curve(query, series) for series in found]
            largest = sorted(curves, key=lambda curve: -(curve.largest or 0))[:most]
            shown += [curve for curve in curves if curve in largest]
            omitted += len(curves) - len(largest)
        lines = chart.styled(graph, shown)
        requests = self._requests(graph) if shown else ()
        return Drawn(
            title=graph.title,
            description=graph.description,
            empty=graph.empty,
            chart=chart.figure(graph, shown, lines, self._seen, step, requests) if shown else "",
            legend=lines,
            threshold="" if graph.threshold is None else spelled(graph.threshold, graph.unit),
            requests=len(requests),
            omitted=omitted,
        )

    def _requests(self, graph: Graph) -> tuple[Request, ...]:
        """Find the slowest ones behind the lines; all of a graph's queries read the same."""
        query = next((query for query in graph.queries if query.exemplars), None)
        if query is None:
            return ()
        asked = self._filled(query.expression, self._seen.step(graph.step))
        found = sorted(self._prometheus.exemplars(asked, self._seen), key=lambda each: -each.value)
        return tuple(
            Request(at=each.at, value=each.value, trace=each.trace, url=self._page(each.trace))
            for each in found[:_MOST_REQUESTS]
        )

    def _stat(self, stat: Stat) -> Drawn:
        found = [
            (query, series) for query in stat.queries for series in self._now(query.expression)
        ]
        tiles = tuple(
            (
                legend(query.legend, series.labels),
                Cell(
                    text=spelled(series.last, stat.unit),
                    good=series.last >= stat.least,
                    bad=series.last < stat.least,
                ),
            )
            # Of a hundred services the worst are of interest.
            for query, series in sorted(found, key=lambda each: each[1].last)
        )
        return Drawn(title=stat.title, description=stat.description, empty=stat.empty, tiles=tiles)

    def _table(self, table: Table) -> Drawn:
        """Join the columns by their labels; the first column decides which lines there are."""
        names = [label for label, _ in table.labels]
        columns = [
            {tuple(each.labels.get(name, "") for name in names): each.last for each in found}
            for found in (self._now(column.expression) for column in table.columns)
        ]
        over = _over(table, columns)
        # What woke somebody stands first, what is over last.
        keys = sorted(
            columns[0],
            key=lambda key: (
                key in over,
                _PAGES not in key,
                *(-values.get(key, 0) for values in columns),
            ),
        )
        rows = tuple(
            (
                *(Cell(text=value, bad=value == _PAGES) for value in key),
                *(
                    self._cell(column, values.get(key), over=key in over)
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
            numbers=len(table.columns),
            rows=rows,
        )

    def _cell(self, column: Column, value: float | None, *, over: bool) -> Cell:
        if value is None:
            return Cell(text="")
        if column.unit == "since":
            began = value / 1000
            return Cell(text=shown(began) if over else since(began, self._seen.end))
        bad = column.threshold is not None and value > column.threshold
        return Cell(text=spelled(value, column.unit), bad=bad)

    def _now(self, expression: str) -> tuple[Series, ...]:
        step = self._seen.step()
        return self._prometheus.at(self._filled(expression, step), self._seen.end)

    def _filled(self, expression: str, step: float) -> str:
        return filled(expression, self._values, self._seen, step)


def _over(table: Table, columns: Sequence[Mapping[tuple[str, ...], float]]) -> set[tuple[str, ...]]:
    """Find the lines of what is no longer so."""
    return {
        key
        for column, values in zip(table.columns, columns, strict=True)
        for key, value in values.items()
        if column.unit == "state" and not value
    }
