"""Makes the page: every panel of a dashboard, the slowest traces, all in one text."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

import jinja2
import plotly.offline

from dashboards import causes
from dashboards.model import Row
from dashboards.snapshot.draw import Painter
from dashboards.snapshot.filling import chosen
from dashboards.snapshot.moments import shown
from dashboards.snapshot.values import spelled
from dashboards.variables import INSTANCES, SERVICES
from instrumentation.contract import places

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from dashboards.model import Board, Panel
    from dashboards.snapshot.filling import Range
    from dashboards.snapshot.jaeger import Jaeger, Trace
    from dashboards.snapshot.prometheus import Prometheus

_TEMPLATE: Final = Path(__file__).parent / "page.html.j2"
_TRACES: Final = 10


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
        painter = Painter(prometheus, self.seen, self.values())
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
        traces = self._traces(jaeger) if jaeger else []
        return (
            _environment()
            .from_string(_TEMPLATE.read_text(encoding="utf-8"))
            .render(
                board=self.board,
                chosen=self.given,
                start=shown(self.seen.start),
                end=shown(self.seen.end),
                rows=drawn,
                traced=jaeger is not None,
                traces=traces,
                script=plotly.offline.get_plotlyjs(),
            )
        )

    def values(self) -> dict[str, str]:
        """Return each variable's value; all instances where the dashboard does not offer them.

        Raises ValueError for a value that it can't have.
        """
        return {**chosen((SERVICES, INSTANCES), {}), **chosen(self.board.variables, self.given)}

    def rows(self) -> tuple[Row, ...]:
        """The dashboard's, and on top what fires and blocks where it does not show these."""
        titles = {panel.title for panel in self.board.panels}
        wanted: tuple[Panel, ...] = (causes.firing(), causes.culprits())
        missing = tuple(panel for panel in wanted if panel.title not in titles)
        if not missing:
            return self.board.rows
        return (Row("What happens meanwhile", missing), *self.board.rows)

    def _traces(self, jaeger: Jaeger) -> list[tuple[str, Trace]]:
        self.said("the slowest traces")
        job = self.given.get(places.JOB_VARIABLE)
        found = [
            (service, trace)
            for service in ([job] if job else jaeger.services())
            for trace in jaeger.slowest(service, self.seen, _TRACES)
        ]
        return sorted(found, key=lambda each: -each[1].seconds)[:_TRACES]


def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=jinja2.StrictUndefined
    )
    environment.filters["seconds"] = lambda value: spelled(value, "seconds")
    environment.filters["moment"] = shown
    return environment
