"""Makes the past of an empty data folder: all of it or nothing."""

import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

from demo_service.shape import MIX
from instrumentation.contract import slo
from stack.console import Progress, say
from stack.history.blocks import Blocks
from stack.history.raw import RawSeries
from stack.history.recordings import STEP_SECONDS as RECORDED_STEP_SECONDS
from stack.history.recordings import RecordedSeries
from stack.history.series import instances
from stack.history.traffic import STEP_SECONDS, Simulation

RECORDED_SECONDS = 36 * 86_400
"""Four weeks for an objective, a week before them to compare with, and a day to spare."""
RAW_SECONDS = 26 * 3600
"""A day, and two hours more for the windows that reach back from its beginning."""

JOBS = frozenset(kind.job for kind in MIX)

# Prometheus takes no folder for a block whose name is none. Unfinished ones get a name each: the
# promtool of a run that was killed may go on writing into its own.
_UNFINISHED = ".history-"
_WHOLE = ".history"


def make(data: Path, targets: Path, environment: str, now: float) -> bool:
    """Fill Prometheus's data folder with a past, unless it holds something; say which.

    Prometheus must not be running. A run that was interrupted leaves the folder as if empty, or,
    where only the last renaming was missing, the next run completes it.

    Args:
        data: Prometheus's data folder, made if missing.
        targets: the file from which the collector reads the services to scrape.
        environment: the services' `deployment_environment_name`, or nothing.
        now: Unix time in seconds; the past ends at least a scrape interval before.

    Returns:
        Whether the past was made.

    Raises:
        StackError: the targets could not be read, or promtool failed.
    """
    data.mkdir(parents=True, exist_ok=True)
    whole = data / _WHOLE
    if whole.exists():
        _move(whole, data)
        say(f"history: completed in {data}")
        return True
    for leftover in data.glob(f"{_UNFINISHED}*"):
        shutil.rmtree(leftover, ignore_errors=True)
    if any(not path.name.startswith(_UNFINISHED) for path in data.iterdir()):
        say(f"history: {data} holds data already, nothing to do")
        return False
    unfinished = Path(tempfile.mkdtemp(prefix=_UNFINISHED, dir=data))
    try:
        _simulate(unfinished, instances(targets, JOBS), environment, now)
        unfinished.rename(whole)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
    _move(whole, data)
    return True


def _move(whole: Path, data: Path) -> None:
    for block in whole.iterdir():
        block.rename(data / block.name)
    whole.rmdir()


def _simulate(folder: Path, addresses: Mapping[str, str], environment: str, now: float) -> None:
    end = int(now - slo.SCRAPE_INTERVAL_SECONDS) // STEP_SECONDS * STEP_SECONDS
    simulation = Simulation(end - RECORDED_SECONDS)
    recorded = [RecordedSeries(group, environment) for group in simulation.groups]
    raw = [RawSeries(counter, addresses, environment) for counter in simulation.counters]
    with Blocks(folder) as blocks:
        step = Progress("history: 36 days of the demo's traffic")
        while True:
            at = simulation.at
            if (end - at) % RECORDED_STEP_SECONDS == 0:
                for group in recorded:
                    blocks.write(at, group.lines(at))
                step.beat(f"{(end - at) / 86_400:.0f} days to go")
            if at >= end - RAW_SECONDS:
                for counter in raw:
                    blocks.write(at, counter.lines(at))
            if at >= end:
                break
            simulation.advance()
    size = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
    step.done(f"{blocks.samples} samples in {size / 1e6:.0f} MB")
