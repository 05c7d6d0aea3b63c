"""Asks what a panel asks, of a window of the past, and lets no complaint of Prometheus pass."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx

from dashboards.model import Board, Graph
from dashboards.snapshot.filling import Range, chosen, filled
from dashboards.snapshot.moments import moment
from dashboards.snapshot.prometheus import Series
from tests.dashboards.reading import BOARDS

LONG = ("capacity", "trend")
"""Boards that look back for days, whatever the window: over a minute they would be of no use."""


@dataclass(frozen=True)
class Window:
    """From one Unix time to another."""

    began: float
    ended: float

    def holds(self, moment: float) -> bool:
        return self.began <= moment <= self.ended


@dataclass(frozen=True)
class Asker:
    """A Prometheus, and how often its services are scraped."""

    url: str
    scrape: float

    def panel(
        self,
        board: str,
        title: str,
        nth: int,
        window: Window,
        given: Mapping[str, str] | None = None,
    ) -> tuple[Series, ...]:
        """What one query of a panel says, with the variables' values; without NaN."""
        asked = BOARDS[board]
        (panel,) = (each for each in asked.panels if each.title == title)
        seen = self.seen(asked, window)
        step = seen.step(panel.step if isinstance(panel, Graph) else 0)
        values = chosen(asked.variables, given or {})
        expression = filled(panel.queries[nth].expression, values, seen, step)
        if isinstance(panel, Graph):
            return self.over(expression, seen, step)
        return self.at(expression, seen.end)

    def seen(self, board: Board, window: Window) -> Range:
        """The range in which a board looks at a window."""
        began = moment(board.since, window.ended) if board.name in LONG else window.began
        return Range(began, window.ended, self.scrape)

    def over(self, expression: str, seen: Range, step: float) -> tuple[Series, ...]:
        found = self._ask(
            "query_range", query=expression, start=seen.start, end=seen.end, step=step
        )
        return _series((each["metric"], each["values"]) for each in found["result"])

    def at(self, expression: str, time: float) -> tuple[Series, ...]:
        found = self._ask("query", query=expression, time=time)["result"]
        return _series((each["metric"], [each["value"]]) for each in found)

    def samples(self, selector: str, seconds: float, time: float) -> tuple[Series, ...]:
        """Every stored sample of the last `seconds`."""
        found = self._ask("query", query=f"{selector}[{seconds:.0f}s]", time=time)["result"]
        return _series((each["metric"], each["values"]) for each in found)

    def values(self, label: str, series: str, window: Window) -> set[str]:
        """What Grafana offers for a variable."""
        span = {"start": window.began, "end": window.ended}
        return set(self._ask(f"label/{label}/values", **{"match[]": series}, **span))

    def _ask(self, path: str, **parameters: str | float) -> Any:
        answer = httpx.get(
            f"{self.url}/api/v1/{path}", params=parameters, timeout=60, trust_env=False
        )
        content = answer.json()
        assert answer.status_code == httpx.codes.OK, (parameters, content)
        assert not content.get("warnings"), (parameters, content["warnings"])
        return content["data"]


def _series(found: Any) -> tuple[Series, ...]:
    every = (
        Series(labels, tuple((at, float(value)) for at, value in values if value != "NaN"))
        for labels, values in found
    )
    return tuple(each for each in every if each.points)
