"""The command line of a snapshot."""

from __future__ import annotations

import sys
import time
from contextlib import ExitStack, closing
from typing import TYPE_CHECKING

from commandline.arguments import address, file_to_write, seconds
from dashboards import boards
from dashboards.snapshot.filling import Range
from dashboards.snapshot.jaeger import Jaeger
from dashboards.snapshot.moments import moment
from dashboards.snapshot.prometheus import Prometheus
from dashboards.snapshot.report import Snapshot
from instrumentation.contract import slo

if TYPE_CHECKING:
    import argparse


def add(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    names = [board.name for board in boards.ALL]
    parser.add_argument("board", choices=names, help="the dashboard to draw")
    parser.add_argument("--prometheus", type=address, required=True, metavar="URL")
    parser.add_argument("--jaeger", type=address, metavar="URL", help="adds the slowest traces")
    parser.add_argument(
        "--from", dest="start", metavar="TIME", help="now-30m, ISO 8601 or Unix seconds"
    )
    parser.add_argument("--to", dest="end", default="now", metavar="TIME")
    parser.add_argument(
        "--var", action="append", default=[], metavar="NAME=VALUE", help="such as job=orders"
    )
    parser.add_argument(
        "--scrape",
        type=seconds,
        default=slo.SCRAPE_INTERVAL_SECONDS,
        metavar="SECONDS",
        help="how often services are scraped (default: %(default)s)",
    )
    parser.add_argument("--out", type=file_to_write, required=True, metavar="FILE")


def run(arguments: argparse.Namespace) -> None:
    """Draw and write. Raises ValueError for a wrong argument, SnapshotError for a dead backend."""
    snapshot = _snapshot(arguments)
    with ExitStack() as stack:
        prometheus = stack.enter_context(closing(Prometheus(arguments.prometheus)))
        jaeger = (
            stack.enter_context(closing(Jaeger(arguments.jaeger))) if arguments.jaeger else None
        )
        page = snapshot.page(prometheus, jaeger)
    arguments.out.write_text(page, encoding="utf-8")
    _say(f"{arguments.out} is {len(page.encode()) / 1e6:.1f} MB, and needs nothing else")


def _snapshot(arguments: argparse.Namespace) -> Snapshot:
    (board,) = (board for board in boards.ALL if board.name == arguments.board)
    now = time.time()
    end = moment(arguments.end, now, "--to")
    start = moment(arguments.start, now, "--from") if arguments.start else moment(board.since, end)
    given = {}
    for each in arguments.var:
        name, found, value = each.partition("=")
        if not found:
            raise ValueError(f"--var: must be NAME=VALUE, not {each}")
        given[name] = value
    if not arguments.out.absolute().parent.is_dir():
        raise ValueError(f"--out: must be in a folder that exists, not {arguments.out}")
    seen = Range(start, end, arguments.scrape)
    return Snapshot(board=board, seen=seen, given=given, said=_say)


def _say(text: str) -> None:
    sys.stderr.write(f"snapshot: {text}\n")
