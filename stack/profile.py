"""Where the running demo spends its time: a flame graph, made by py-spy."""

import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import psutil

from stack.commands import output
from stack.console import say
from stack.environment import REPOSITORY
from stack.errors import StackError
from stack.options import Options
from stack.preflight import check
from stack.programs import Program, programs
from stack.render import render
from stack.supervisor import Supervisor
from stack.up import start

SERVICES: Final = ("orders", "payments")
LONGEST_SECONDS: Final = 3600
SAMPLES_A_SECOND: Final = 100
BUSY: Final = "100"
"""Requests a second; the usual load would show an idle loop."""
_GRACE_SECONDS: Final = 60
_PORTS: Final = {"orders": "DEMO_PORT", "payments": "PAYMENTS_PORT"}


@dataclass(frozen=True, kw_only=True)
class Profile:
    """What to record.

    Args:
        service: the service of the demo to look at.
        seconds: how long.
        file: the flame graph, an SVG.
    """

    service: str = "orders"
    seconds: int = 30
    file: Path = REPOSITORY / "var" / "profile.svg"

    def __post_init__(self) -> None:
        if not 1 <= self.seconds <= LONGEST_SECONDS:
            raise ValueError(f"seconds must be from 1 to {LONGEST_SECONDS}, not {self.seconds}")


def profile(options: Options, wanted: Profile) -> None:
    """Record the demo that runs on the ports of `options`; start one for the time if none does.

    Raises:
        StackError: py-spy is missing or may not look, or the demo can't be started.
    """
    recorder = _recorder()
    wanted.file.parent.mkdir(parents=True, exist_ok=True)
    process = find(int(options.ports[_PORTS[wanted.service]]))
    if process is not None:
        say(f"profiling {wanted.service} of the running demo (process {process})")
        _record(recorder, process, wanted)
        return
    say("no demo is running: one is started for the profile, under a load of its own")
    with _demo(options) as ports:
        process = find(int(ports[_PORTS[wanted.service]]))
        if process is None:
            raise StackError(f"{wanted.service} has ended by itself.")
        _record(recorder, process, wanted)


def find(port: int) -> int | None:
    """The process of a Python service that listens on `port` of this machine."""
    for process in psutil.process_iter(["cmdline"]):
        with contextlib.suppress(psutil.Error):
            command = process.info["cmdline"] or []
            if any(word.startswith("demo_service") for word in command):
                connections = process.net_connections("tcp")
                if any(
                    c.status == psutil.CONN_LISTEN and c.laddr.port == port for c in connections
                ):
                    return int(process.pid)
    return None


def _recorder() -> str:
    found = shutil.which("py-spy", path=str(Path(sys.executable).parent)) or shutil.which("py-spy")
    if found is None:
        raise StackError("py-spy is missing: run `make setup`, or pip install py-spy.")
    return found


def _record(recorder: str, process: int, wanted: Profile) -> None:
    wanted.file.unlink(missing_ok=True)
    command = [
        *(recorder, "record", "--pid", str(process), "--output", str(wanted.file)),
        *("--duration", str(wanted.seconds), "--rate", str(SAMPLES_A_SECOND), "--nonblocking"),
    ]
    say(f"recording for {wanted.seconds} s")
    try:
        status, said = output(command, timeout=wanted.seconds + _GRACE_SECONDS)
    except subprocess.TimeoutExpired:
        raise StackError(f"py-spy did not end within {_GRACE_SECONDS} s of its time.") from None
    if status or not wanted.file.exists():
        raise StackError(explain(said))
    say(f"the flame graph is {wanted.file}; open it with a browser")


def explain(said: str) -> str:
    """One sentence for what py-spy said before it gave up."""
    lowered = said.lower()
    if any(text in lowered for text in ("permission denied", "not permitted", "as root")):
        return (
            "py-spy may not look into the process. On Linux, stop the demo and let `make profile` "
            "start it, or allow it: `sudo sysctl kernel.yama.ptrace_scope=0`, in a container "
            "`--cap-add SYS_PTRACE`; on macOS it has to run under sudo."
        )
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    error = next((line for line in lines if line.startswith("Error")), "".join(lines[-1:]))
    return f"py-spy failed: {error.removeprefix('Error: ') or 'it says nothing'}"


@contextlib.contextmanager
def _demo(options: Options) -> Iterator[dict[str, str]]:
    """The whole native stack, with data of its own that is removed afterwards."""
    with tempfile.TemporaryDirectory(prefix="profile-") as folder:
        own = replace(options, data=Path(folder).resolve(), history=False)
        wanted = tuple(_prepared(program) for program in programs(own))
        render(own)
        check(own, wanted)
        with Supervisor(own, wanted) as supervisor:
            start(supervisor, wanted)
            yield dict(own.ports)


def _prepared(program: Program) -> Program:
    if program.name == "load":
        busy = {**program.environment, "DEMO_LOAD_RATE": os.environ.get("DEMO_LOAD_RATE", BUSY)}
        return replace(program, environment=busy)
    if program.name in SERVICES:
        python, *arguments = program.command
        return replace(program, command=(python, "-m", "stack.traceable", *arguments))
    return program
