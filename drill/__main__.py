"""`python -m drill`: break the demo, see the page, find the culprit."""

from __future__ import annotations

import argparse
import shutil
import signal
import sys
import tempfile
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

import httpx

from commandline.arguments import file_to_write, seconds
from commandline.errors import sentence
from drill import snapshot
from drill.demo import Demo
from drill.errors import DrillError, MissedError
from drill.evidence import Backends
from drill.jaeger import Jaeger
from drill.performance import Stage, await_readiness, demand_silence, perform
from drill.prometheus import Prometheus
from drill.receiver import Receiver
from drill.scenarios import SCENARIOS, Scenario
from drill.stack import Stack
from drill.table import Row, table
from drill.waiting import Waiter, say

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType

LARGEST_SCALE: Final = 10
_INTERRUPTED: Final = 130


def main(arguments: list[str] | None = None) -> int:
    """Run the drill; return the exit status."""
    chosen = _parser().parse_args(arguments)
    for number in (signal.SIGINT, signal.SIGTERM):  # SIGINT may be inherited as ignored
        signal.signal(number, _interrupt)
    folder = Path(tempfile.mkdtemp(prefix="drill-"))
    (folder / "log").mkdir()
    say(f"data and logs of this drill: {folder}")
    rows: list[Row] = []
    failures: list[str] = []
    try:
        with _stage(folder, chosen.scale, chosen.rows) as stage:
            failures += _rehearse(stage, chosen, rows)
            snapshot.draw(stage, chosen.report)
    except (DrillError, OSError) as error:
        failures.append(sentence(error))
    except KeyboardInterrupt:
        shutil.rmtree(folder)
        return _INTERRUPTED
    return _report(folder, rows, failures)


def _rehearse(stage: Stage, chosen: argparse.Namespace, rows: list[Row]) -> list[str]:
    """Perform all scenarios, and add a row for each; return what kept it from going on."""
    try:
        await_readiness(stage, chosen.rows)
        say(f"all is well: no page and no ticket for {chosen.healthy_seconds:g} s")
        demand_silence(stage, chosen.healthy_seconds)
        for scenario in chosen.rows:
            rows.append(perform(stage, scenario))
    except (DrillError, MissedError) as error:
        return [str(error)]
    except httpx.HTTPError as error:
        return [f"A part of the stack did not answer: {error!r}."]
    return []


def _report(folder: Path, rows: list[Row], failures: list[str]) -> int:
    """Print the table and what is missing in it; return the exit status."""
    if rows:
        say(f"\n{table(rows)}\n")
    missing = [*failures, *(f"{row.name}: {row.missing}" for row in rows if row.missing)]
    if not missing:
        shutil.rmtree(folder)
        return 0
    _keep_logs(folder)
    for each in missing:
        sys.stderr.write(f"error: {each}\n")
    sys.stderr.write(f"The logs are in {folder}\n")
    return 1


@contextmanager
def _stage(folder: Path, scale: float, scenarios: tuple[Scenario, ...]) -> Iterator[Stage]:
    """Start everything; the end of the context stops and closes it."""
    with ExitStack() as open_until_the_end:
        enter = open_until_the_end.enter_context
        receiver = enter(Receiver(folder / "log" / "notifications.jsonl"))
        past = any(scenario.past for scenario in scenarios)
        stack = enter(Stack(folder, scale, receiver.url, past=past))
        yield Stage(
            demo=enter(closing(Demo(stack.url("DEMO_PORT"), stack.url("LOAD_PORT")))),
            backends=Backends(
                enter(closing(Prometheus(stack.url("PROMETHEUS_PORT")))),
                enter(closing(Jaeger(stack.url("JAEGER_QUERY_PORT")))),
            ),
            receiver=receiver,
            waiter=Waiter(stack.check),
            scale=scale,
        )


def _keep_logs(folder: Path) -> None:
    """Remove what a reader of the logs does not need: the data are hundreds of megabytes."""
    for path in (folder / "data").glob("*"):
        if path.name not in ("log", "config"):
            shutil.rmtree(path, ignore_errors=True)


def _interrupt(signum: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m drill", description=__doc__)
    parser.add_argument(
        "--rows",
        type=_scenarios,
        default=SCENARIOS,
        help=f"some of {','.join(each.name for each in SCENARIOS)}, with commas",
    )
    parser.add_argument(
        "--scale",
        type=_scale,
        default=LARGEST_SCALE,
        help="divides the rules' ranges and waits and all intervals, 1 to 10 (default 10)",
    )
    parser.add_argument(
        "--healthy-seconds",
        type=seconds,
        default=90,
        help="how long all must be silent before the first fault (default 90)",
    )
    parser.add_argument(
        "--report",
        type=file_to_write,
        default=snapshot.FILE,
        help="page that shows the Incident dashboard of the drill (default var/drill/report.html)",
    )
    return parser


def _scenarios(text: str) -> tuple[Scenario, ...]:
    known = {each.name: each for each in SCENARIOS}
    for name in text.split(","):
        if name not in known:
            raise argparse.ArgumentTypeError(f"{name!r} is none of {', '.join(known)}")
    return tuple(known[name] for name in text.split(","))


def _scale(text: str) -> float:
    try:
        scale = float(text)
    except ValueError:
        scale = 0
    if not 1 <= scale <= LARGEST_SCALE:
        raise argparse.ArgumentTypeError(f"must be a number from 1 to {LARGEST_SCALE}, not {text}")
    return scale


if __name__ == "__main__":
    sys.exit(main())
