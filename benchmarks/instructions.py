"""`python -m benchmarks.instructions VARIANT COUNT`: machine instructions of one request.

valgrind counts them, in every thread, so the figure is the same on a busy machine as on a quiet
one, to a percent or so. It makes time long, so what works by the second would weigh too much: the
loop's watch is off. Run as a module it is the program that valgrind runs.
"""

from __future__ import annotations

import asyncio
import gc
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import uvloop

from benchmarks import children
from benchmarks.children import BenchError
from benchmarks.requests import ask
from benchmarks.variants import build, path

COUNT: Final = 200
_WARM_UP: Final = 50
_TOTAL: Final = re.compile(r"^totals: (\d+)$", re.MULTILINE)


def available() -> bool:
    """Whether this machine has valgrind."""
    return shutil.which("valgrind") is not None


def measure(variant: str, endpoint: Mapping[str, str], count: int = COUNT) -> float:
    """Instructions of one request, the export of its span included.

    Raises:
        BenchError: it failed; the last line of what it said is told.
    """
    with TemporaryDirectory() as folder:
        file = Path(folder, "counted")
        done = subprocess.run(  # noqa: S603 - valgrind and a module of ours
            ["valgrind", "--tool=callgrind", "--instr-atstart=no",  # noqa: S607
             f"--callgrind-out-file={file}",
             *children.command("benchmarks.instructions", variant, str(count))],
            env=children.environment(PYTHONHASHSEED="0", INSTRUMENTATION_BLOCKING_THRESHOLD="0",
                                     **endpoint),
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        found = _TOTAL.search(file.read_text()) if file.exists() else None
    if done.returncode != 0 or found is None:
        said = done.stderr.strip().splitlines() or ["it said nothing"]
        raise BenchError(f"valgrind could not count the instructions of {variant}: {said[-1]}")
    return int(found[1]) / count


async def _counted(variant: str, count: int) -> None:
    app, flush = build(variant)
    await ask(app, path(), _WARM_UP)
    await asyncio.to_thread(flush)
    # A collection of all that was imported would be as much as a hundred requests, or not come.
    gc.collect()
    gc.freeze()
    _count("on")
    await ask(app, path(), count)
    await asyncio.to_thread(flush)
    _count("off")


def _count(switch: str) -> None:
    command = ["callgrind_control", "-i", switch, str(os.getpid())]
    subprocess.run(command, check=True, capture_output=True)  # noqa: S603 - part of valgrind


def main() -> None:
    """Serve the requests, counting between warm-up and end."""
    uvloop.run(_counted(sys.argv[1], int(sys.argv[2])))


if __name__ == "__main__":
    main()
