"""Makes the page: every panel of a dashboard, the slowest traces, all in one text."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

import jinja2
import plotly.offline
from markupsafe import Markup

from dashboards import causes, colours
from dashboards.model import Row
from dashboards.snapshot.draw import Painter
from dashboards.snapshot.drawn import Cell, Drawn
from dashboards.snapshot.filling import chosen
from dashboards.snapshot.moments import clock, span
from dashboards.snapshot.values import spelled
from dashboards.variables import INSTANCES, SERVICES
from instrumentation.contract import places

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from dashboards.model import Board
    from dashboards.snapshot.filling import Range
    from dashboards.snapshot.jaeger import Jaeger, Trace
    from dashboards.snapshot.prometheus import Prometheus

_TEMPLATE: Final = Path(__file__).parent / "page.html.j2"
_TRACES: Final = 10
_LEGEND: Final = 6
_ROWS: Final = 6
_TILES: Final = 6
"""What is more is shown when asked for, or printed."""
_PARTS: Final = re.compile(
    r"(?<=[/:_.])(?=[^/:_.\s])|(?<=[a-z])(?=[A-Z])|(?<=[0-9a-f]{8})(?=[0-9a-f]{8})"
)
"""Between a path's parts, a name's words, and the bytes of a trace's number."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """What is drawn: a dashboard, a range, and values of its variables.

    `said` is told each step, for whoever waits.
    """

    board: Board
    seen: Range
    given: Mapping[str, str] = field(default_factory=dict)
    said: Callable[[str], None] = lambda _: None

    def page(self, prometheus: Prometheus, jaeger: Jaeger | None) -> str:
        """Return the page. Raises SnapshotError where a backend does not answer."""
        pages = (jaeger.page,) if jaeger else ()
        painter = Painter(prometheus, self.seen, self.values(), *pages)
        rows = self.rows()
        count, done = sum(len(row.panels) for row in rows), 0
        drawn = []
        for row in rows:
            panels = []
            for panel in row.panels:
                done += 1
                self.said(f"{done}/{count} {panel.title}")
                panels.append(painter.draw(panel))
            drawn.append((row.title, panels))
        if jaeger:
            drawn.insert(1, ("", [self._traces(jaeger)]))
        return (
            _environment()
            .from_string(_TEMPLATE.read_text(encoding="utf-8"))
            .render(
                board=self.board,
                chosen=self._chosen(),
                range=span(self.seen.start, self.seen.end),
                rows=drawn,
                most={"legend": _LEGEND, "rows": _ROWS, "tiles": _TILES},
                limit=colours.BAD,
                exemplar=colours.EXEMPLAR,
                traced=jaeger is not None,
                script=plotly.offline.get_plotlyjs(),
            )
        )

    def values(self) -> dict[str, str]:
        """Return each variable's value; all instances where the dashboard does not offer them.

        Raises ValueError for a value that it can't have.
        """
        return {**chosen((SERVICES, INSTANCES), {}), **chosen(self.board.variables, self.given)}

    def rows(self) -> tuple[Row, ...]:
        """What fires and what blocks, on top whatever the dashboard, and then its own panels."""
        first = (causes.firing(), causes.culprits())
        titles = {panel.title for panel in first}
        own = (
            Row(row.title, tuple(panel for panel in row.panels if panel.title not in titles))
            for row in self.board.rows
        )
        return (Row("At a glance", first), *(row for row in own if row.panels))

    def _chosen(self) -> dict[str, str]:
        """What was chosen on top, by the variable's title, the defaults of a few choices too."""
        values = self.values()
        return {
            each.title: self.given.get(each.name) or values[each.name]
            for each in self.board.variables
            if not each.hidden and (each.options or self.given.get(each.name))
        }

    def _traces(self, jaeger: Jaeger) -> Drawn:
        self.said("the slowest traces")
        job = self.given.get(places.JOB_VARIABLE)
        found = [
            (service, trace)
            for service in ([job] if job else jaeger.services())
            for trace in jaeger.slowest(service, self.seen, _TRACES)
        ]
        slowest = sorted(found, key=lambda each: -each[1].seconds)[:_TRACES]
        return Drawn(
            title="Which requests were slowest?",
            description="Of the newest traces that Jaeger holds of each service in this range; "
            "red, those that failed.",
            empty="Jaeger holds no trace of these services in this range",
            headings=("Request", "Service", "Trace", "At", "Took"),
            numbers=2,
            rows=tuple(_row(service, trace) for service, trace in slowest),
        )


def _row(service: str, trace: Trace) -> tuple[Cell, ...]:
    return (
        Cell(text=trace.name, bad=trace.failed),
        Cell(text=service),
        Cell(text=trace.identifier, url=trace.url),
        Cell(text=clock(trace.at)),
        Cell(text=spelled(trace.seconds, "seconds")),
    )


def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=jinja2.StrictUndefined
    )
    environment.filters["breakable"] = _breakable
    environment.filters["code"] = _code
    return environment


def _breakable(text: str) -> Markup:
    """Let a long name break where its parts meet, and nowhere else."""
    return Markup("<wbr>").join(_PARTS.split(text))


def _code(text: str) -> Markup:
    """Show what stands between backticks as code, and part no number from its percent sign."""
    parts = text.replace(" %", "\N{NO-BREAK SPACE}%").split("`")
    return Markup("").join(
        Markup("<code>{}</code>").format(part) if at % 2 else part for at, part in enumerate(parts)
    )
