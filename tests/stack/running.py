"""Starts `python -m stack up` on free ports, and looks for what it leaves behind."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TypeVar

import psutil

from drill import ports
from stack.environment import REPOSITORY, load

BACKENDS = "prometheus,alertmanager,jaeger,collector"
RULES = """\
groups:
  - name: test
    rules:
      - record: test:one
        expr: vector(1)
"""
ALERTMANAGER = """\
route:
  receiver: nobody
receivers:
  - name: nobody
"""
T = TypeVar("T")


def free_ports() -> dict[str, str]:
    """A free port for each variable of `.env` that names one."""
    return ports.free_ports(name for name in load() if name.endswith("_PORT"))


@contextlib.contextmanager
def meanwhile(work: Callable[[threading.Event], object]) -> Iterator[None]:
    """Have a thread do `work`, which ends once the event that it is given is set."""
    over = threading.Event()
    thread = threading.Thread(target=work, args=(over,))
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def arguments(folder: Path, *more: str, history: bool = False) -> list[str]:
    """The command line of a stack whose files are all in `folder`."""
    rules = folder / "rules"
    rules.mkdir(parents=True, exist_ok=True)
    if not any(rules.iterdir()):
        (rules / "test.yml").write_text(RULES)
    alertmanager = folder / "alertmanager.yml"
    if not alertmanager.exists():
        alertmanager.write_text(ALERTMANAGER)
    return [
        *(sys.executable, "-m", "stack", "up"),
        *(() if history else ("--no-history",)),
        *("--data", str(folder / "data")),
        *("--rules", str(rules)),
        *("--alertmanager-config", str(alertmanager)),
        *(more or ("--only", BACKENDS)),
    ]


def run(
    folder: Path, environment: Mapping[str, str], *more: str
) -> subprocess.CompletedProcess[str]:
    """Run a stack that is expected to refuse its start."""
    return subprocess.run(
        arguments(folder, *more),
        cwd=REPOSITORY,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@contextlib.contextmanager
def started(
    folder: Path, ports: Mapping[str, str], *more: str, history: bool = False
) -> Iterator[subprocess.Popen[bytes]]:
    """A stack that is ready; it is stopped with SIGTERM at the end unless it ended before."""
    log = folder / "up.log"
    with log.open("wb") as sink:
        process = subprocess.Popen(
            arguments(folder, *more, history=history),
            cwd=REPOSITORY,
            env={**os.environ, **ports},
            stdout=sink,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        eventually(
            (folder / "data" / "ready").exists,
            seconds=90,
            explain=log.read_text,
            unless=lambda: process.poll() is not None,
        )
        yield process
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        process.wait(timeout=90)


def eventually(
    condition: Callable[[], T],
    *,
    seconds: float = 30,
    explain: Callable[[], object] = lambda: "",
    unless: Callable[[], bool] = lambda: False,
) -> T:
    """Wait until the condition holds and return its value; fail after `seconds`."""
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < deadline, f"not within {seconds} s: {explain()}"
        assert not unless(), f"hopeless: {explain()}"
        time.sleep(0.1)
    return value


def left_behind(folder: Path) -> list[str]:
    """The command lines of running processes that have to do with a stack's folder."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            words = " ".join([*process.cmdline(), *process.environ().values()])
            if str(folder) in words and process.pid != os.getpid():
                found.append(" ".join(process.cmdline()))
    return found


def listening(ports: Mapping[str, str]) -> list[str]:
    """Names of the ports that somebody listens on."""
    taken = []
    for name, port in ports.items():
        with socket.socket() as client:
            if client.connect_ex(("127.0.0.1", int(port))) == 0:
                taken.append(name)
    return taken
