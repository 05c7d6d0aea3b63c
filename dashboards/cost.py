"""Tells what each dashboard asks of a Prometheus: `python -m dashboards cost`."""

from __future__ import annotations

import sys
import time
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import httpx

from commandline import pages
from commandline.arguments import address, file_to_write, seconds
from dashboards import boards
from dashboards.model import Graph
from dashboards.snapshot.errors import SnapshotError
from dashboards.snapshot.filling import Range, chosen, filled
from dashboards.snapshot.moments import moment
from instrumentation.contract import slo

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable, Iterator, Mapping

    from dashboards.model import Board

BEGIN: Final = "<!-- cost: written by `make dashboard-cost` -->"
END: Final = "<!-- end of cost -->"
_TIMEOUT_SECONDS: Final = 120
_RELEASES: Final = 600
"""Seconds between two points of the marks of releases."""
_HEAD: Final = (
    "| dashboard | range | queries | series drawn | samples read | most at once | seconds |\n"
    "|---|---|---|---|---|---|---|"
)


@dataclass(frozen=True, slots=True)
class Asked:
    """What Prometheus says of one query.

    Args:
        series: how many it answers with.
        samples: how many it read, each as often as it was needed.
        peak: how many it held in memory at once.
        seconds: how long it took there, without the way.
    """

    series: int
    samples: int
    peak: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Cost:
    """What opening a dashboard, or refreshing it, costs."""

    board: Board
    asked: tuple[Asked, ...]

    @property
    def line(self) -> str:
        """Its row in the table."""
        cells = (
            self.board.title,
            self.board.since.removeprefix("now-"),
            f"{len(self.asked)}",
            f"{sum(each.series for each in self.asked):,}",
            f"{sum(each.samples for each in self.asked):,}",
            f"{max(each.peak for each in self.asked):,}",
            f"{sum(each.seconds for each in self.asked):.2f}",
        )
        return f"| {' | '.join(cells)} |"


class Meter:
    """Asks one server, with its statistics; all services are chosen, and all their instances."""

    def __init__(self, url: str, scrape: float = slo.SCRAPE_INTERVAL_SECONDS) -> None:
        self._url = url.rstrip("/")
        self._scrape = scrape
        self._http = httpx.Client(base_url=self._url, timeout=_TIMEOUT_SECONDS, trust_env=False)

    def cost(self, board: Board, now: float) -> Cost:
        """Ask all that a dashboard asks, over the range that it opens with."""
        seen = Range(moment(board.since, now), now, self._scrape)
        values = chosen(board.variables, {})
        return Cost(board, tuple(self._asked(board, values, seen)))

    def held(self, now: float) -> tuple[int, int]:
        """How many series the server had in memory, and how many instances it knew."""
        known = ("prometheus_tsdb_head_series", "count(target_info)")
        series, instances = (self._number(expression, now) for expression in known)
        return series, instances

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def _asked(self, board: Board, values: Mapping[str, str], seen: Range) -> Iterator[Asked]:
        for panel in board.panels:
            graph = isinstance(panel, Graph)
            step = seen.step(panel.step if isinstance(panel, Graph) else 0)
            for query in panel.queries:
                yield self._one(filled(query.expression, values, seen, step), seen, step, graph)
        if board.releases:
            yield self._one(filled(board.releases, values, seen, _RELEASES), seen, _RELEASES, True)

    def _one(self, expression: str, seen: Range, step: float, graph: bool) -> Asked:
        span: dict[str, float] = (
            {"start": seen.start, "end": seen.end, "step": step} if graph else {"time": seen.end}
        )
        data = self._ask("query_range" if graph else "query", query=expression, **span)
        samples = data["stats"]["samples"]
        return Asked(
            series=len(data["result"]),
            samples=samples["totalQueryableSamples"],
            peak=samples["peakSamples"],
            seconds=data["stats"]["timings"]["evalTotalTime"],
        )

    def _number(self, expression: str, now: float) -> int:
        result = self._ask("query", query=f"sum({expression})", time=now)["result"]
        return int(float(result[0]["value"][1])) if result else 0

    def _ask(self, path: str, **parameters: str | float) -> Any:
        try:
            answer = self._http.post(f"/api/v1/{path}", data={**parameters, "stats": "all"})
            return answer.raise_for_status().json()["data"]
        except (httpx.HTTPError, ValueError, KeyError) as error:
            raise SnapshotError(f"Prometheus at {self._url}: {error}") from error


def add(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument("--prometheus", type=address, required=True, metavar="URL")
    parser.add_argument("--to", dest="end", default="now", metavar="TIME")
    parser.add_argument("--scrape", type=seconds, default=slo.SCRAPE_INTERVAL_SECONDS)
    parser.add_argument(
        "--write", type=file_to_write, metavar="PAGE", help="the page that holds the table"
    )


def run(arguments: argparse.Namespace) -> None:
    """Ask, print the table, and write it into the page.

    Raises SnapshotError for a dead backend, ValueError for a page that has no place for a table.
    """
    page = arguments.write.read_text(encoding="utf-8") if arguments.write else f"{BEGIN}{END}"
    replaced(page, "")
    with closing(Meter(arguments.prometheus, arguments.scrape)) as meter:
        end = moment(arguments.end, time.time(), "--to")
        costs = [meter.cost(board, end) for board in boards.ALL]
        text = table(costs, *meter.held(end), arguments.scrape)
    sys.stdout.write(f"{text}\n")
    if arguments.write:
        arguments.write.write_text(replaced(page, text), encoding="utf-8")


def table(costs: Iterable[Cost], series: int, instances: int, scrape: float) -> str:
    """Spell the costs, and how large the Prometheus was that they are of."""
    lines = "\n".join(cost.line for cost in costs)
    size = f"{instances} instances, scraped every {scrape:g} s, and {series:,} series in memory"
    return f"Of {size}:\n\n{_HEAD}\n{lines}"


def replaced(page: str, text: str) -> str:
    """Return a page with another table between its marks.

    Raises ValueError where the marks are missing.
    """
    before, after = pages.around(page, BEGIN, END)
    return f"{before}\n{text}\n{after}"
