"""Lines over time, with plotly."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import plotly.graph_objects as go
import plotly.io

from dashboards import colours
from dashboards.snapshot.drawn import Line
from dashboards.snapshot.values import legend, spelled

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from dashboards.model import Graph, Query, Unit
    from dashboards.snapshot.drawn import Request
    from dashboards.snapshot.filling import Range
    from dashboards.snapshot.prometheus import Series

_TICKS: Final[dict[Unit, str]] = {"ratio": ".3~%", "seconds": ".3~s"}
_SUFFIXES: Final[dict[Unit, str]] = {"seconds": "s"}
_MOST_TICKS: Final = 6
_DAY: Final = 86_400
_SECONDS_ARE_SHOWN: Final = 300
_DAYS_ARE_SHOWN: Final = 5 * _DAY
_FAR: Final = 4
_STANDOFF: Final = 6
"""Pixels between the axis and its times, so that the first is below the other axis' zero."""
_MOST_AT_ONCE: Final = 8
_GAP_STEPS: Final = 1.5
_PAST: Final = "6 5"
_DASHES: Final = ("", "2 3", "9 3 2 3", "14 4")
"""Of the lines that have the same colour, one service after another."""


class Curve(NamedTuple):
    """A series, and the query that brought it."""

    query: Query
    series: Series

    @property
    def largest(self) -> float | None:
        """The largest value, if there is any: NaN is no order."""
        return max((value for _, value in self.series.points if value == value), default=None)


def styled(graph: Graph, curves: Sequence[Curve]) -> tuple[Line, ...]:
    """Give each curve its colour: that of its role, or one after the other."""
    used: dict[str, int] = {}
    lines = []
    for at, curve in enumerate(curves):
        (query, series), largest = curve, curve.largest
        colour = (
            colours.ROLES[query.role] if query.role else colours.SERIES[at % len(colours.SERIES)]
        )
        nth = used[colour] = used.get(colour, -1) + 1
        lines.append(
            Line(
                name=legend(query.legend, series.labels),
                colour=colour,
                dashes=_PAST if query.role == "past" else _DASHES[nth % len(_DASHES)],
                last=spelled(series.last, graph.unit),
                largest="" if largest is None else spelled(largest, graph.unit),
            )
        )
    return tuple(lines)


def figure(
    graph: Graph,
    curves: Sequence[Curve],
    lines: Sequence[Line],
    seen: Range,
    step: float,
    requests: Sequence[Request] = (),
) -> str:
    """Return what plotly's script draws, as JSON."""
    drawn = go.Figure()
    for curve, line in zip(curves, lines, strict=True):
        points = [*_with_gaps(curve.series, step)]
        drawn.add_trace(
            go.Scatter(
                x=[_moment(time) for time, _ in points],
                y=[value for _, value in points],
                name=line.name,
                mode="lines+markers" if len(curve.series.points) == 1 else "lines",
                line={
                    "color": line.colour,
                    "width": 1.75,
                    "dash": line.dashes.replace(" ", "px,") + "px" if line.dashes else "solid",
                },
            )
        )
    if requests:
        drawn.add_trace(_diamonds(requests))
    if graph.threshold is not None and _near(graph.threshold, curves):
        drawn.add_hline(y=graph.threshold, line={"color": colours.BAD, "dash": "dash", "width": 1})
    drawn.update_layout(**_layout(graph, curves, seen))
    # Without the template, plotly's own look, which is most of the text and nothing that we use.
    drawn.layout.template = None
    text: str = plotly.io.to_json(drawn)
    return text


def _diamonds(requests: Sequence[Request]) -> go.Scatter:
    """The page opens what a point's customdata names."""
    return go.Scatter(
        x=[_moment(each.at) for each in requests],
        y=[each.value for each in requests],
        customdata=[each.url for each in requests],
        text=[each.trace for each in requests],
        name="request",
        mode="markers",
        marker={"symbol": "diamond", "size": 7, "color": colours.EXEMPLAR},
        hovertemplate="%{y} trace %{text}",
    )


def _near(threshold: float, curves: Sequence[Curve]) -> bool:
    """Whether the curves keep their shape with the threshold above them."""
    largest = max((curve.largest or 0 for curve in curves), default=0)
    return not 0 < largest * _FAR < threshold


def _with_gaps(series: Series, step: float) -> Iterator[tuple[float, float | None]]:
    """Break a line where Prometheus has nothing: a service that is away draws no line."""
    points = series.points
    for (time, value), (later, _) in pairwise(points):
        yield time, value
        if later - time > _GAP_STEPS * step:
            yield time + step, None
    yield points[-1]


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def _layout(graph: Graph, curves: Sequence[Curve], seen: Range) -> dict[str, Any]:
    """Transparent; the page colours the text, as its reader likes it light or dark."""
    grid = {"gridcolor": "rgba(128,128,128,0.25)", "zeroline": False}
    return {
        "height": 220,
        # Half of a label below the axis fits in on either side, wherever the first and last are.
        "margin": {"l": 28, "r": 28, "t": 8, "b": 8},
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "font": {"size": 12},
        "showlegend": False,
        # All values of a moment, unless they would cover the chart.
        "hovermode": "x unified" if len(curves) <= _MOST_AT_ONCE else "closest",
        "hoverlabel": {"namelength": 32},
        "xaxis": {
            **grid,
            "range": [_moment(seen.start), _moment(seen.end)],
            "tickformat": _clock(seen.seconds),
            "ticklabelstandoff": _STANDOFF,
            "automargin": True,
            "nticks": _MOST_TICKS,
        },
        "yaxis": {
            **grid,
            "tickformat": _TICKS.get(graph.unit, ""),
            "ticksuffix": _SUFFIXES.get(graph.unit, ""),
            "rangemode": "normal" if graph.negative else "tozero",
            "automargin": True,
            "nticks": _MOST_TICKS,
            **(_powers_of_two(curves) if graph.unit == "bytes" else {}),
        },
    }


def _clock(seconds: float) -> str:
    """How a range of so many seconds spells its times, of which the page's head has the date."""
    if seconds < _SECONDS_ARE_SHOWN:
        return "%H:%M:%S"
    if seconds < _DAY:
        return "%H:%M"
    return "%H:%M\n%b %-d" if seconds < _DAYS_ARE_SHOWN else "%b %-d"


def _powers_of_two(curves: Sequence[Curve]) -> dict[str, Any]:
    """Ticks in KiB, MiB or GiB, as the legend has them: plotly counts by thousands alone."""
    values = [value for each in curves for _, value in each.series.points if value == value]
    low = min(0.0, *values)
    high = max(low + 1, *values)
    step = 2.0 ** math.ceil(math.log2((high - low) / _MOST_TICKS))
    ticks = [step * at for at in range(math.floor(low / step), math.ceil(high / step) + 1)]
    return {"tickvals": ticks, "ticktext": [spelled(tick, "bytes") for tick in ticks]}
