"""Runs `python -m drill` as a user does, and looks at what it leaves behind."""

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from stack.environment import REPOSITORY

STOP_SECONDS = 60


@dataclass
class Drill:
    """A running drill, and the file that holds what it said."""

    process: subprocess.Popen[bytes]
    output: Path

    @property
    def said(self) -> str:
        return self.output.read_text()

    @property
    def folder(self) -> Path:
        """The folder of its data, which its first line names."""
        return Path(self.said.splitlines()[0].partition(": ")[2])


@contextlib.contextmanager
def drill(output: Path, *arguments: str, temporary: Path) -> Iterator[Drill]:
    """A drill with its temporary data under `temporary`; one that still runs is interrupted."""
    with output.open("wb") as sink:
        process = subprocess.Popen(
            [sys.executable, "-m", "drill", *arguments],
            cwd=REPOSITORY,
            env={**os.environ, "TMPDIR": str(temporary)},
            stdin=subprocess.DEVNULL,
            stdout=sink,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        yield Drill(process, output)
    finally:
        if process.poll() is None:
            process.terminate()
        process.wait(timeout=STOP_SECONDS)
