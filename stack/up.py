"""Starts the native stack, keeps watch over it, and stops it."""

import importlib.util
import itertools
import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from stack.commands import run_logged
from stack.console import Progress, say
from stack.environment import REPOSITORY
from stack.errors import StackError
from stack.options import Options
from stack.preflight import check
from stack.programs import Program, programs
from stack.ready import wait
from stack.render import render
from stack.supervisor import Supervisor

WATCH_SECONDS = 0.5
HISTORY = "stack.history"


class Stopped(Exception):  # noqa: N818 - a request, not an error
    """Somebody asked for the end: Ctrl-C, or a SIGTERM."""


def up(options: Options) -> None:
    """Run the stack until Ctrl-C or SIGTERM.

    Raises:
        StackError: something was wrong before the start, or a program ended by itself.
    """
    wanted = programs(options)
    options.ready_file.unlink(missing_ok=True)
    render(options)
    check(options, wanted)
    with stop_signals():
        try:
            _run(options, wanted)
        except Stopped:
            say("stopped")


def _run(options: Options, wanted: tuple[Program, ...]) -> None:
    _make_history(options, wanted)
    with Supervisor(options, wanted) as supervisor:
        try:
            _start(supervisor, wanted)
            _announce(options, wanted)
            while True:
                time.sleep(WATCH_SECONDS)
                supervisor.check()
        finally:
            _ignore_signals()
            options.ready_file.unlink(missing_ok=True)
            say("stopping")


def _start(supervisor: Supervisor, wanted: tuple[Program, ...]) -> None:
    stages = itertools.groupby(
        sorted(wanted, key=lambda program: program.stage), key=lambda program: program.stage
    )
    for _, group in stages:
        members = list(group)
        for program in members:
            supervisor.start(program.name)
        wait({program.name: program.ready for program in members}, watch=supervisor.check)


def _make_history(options: Options, wanted: tuple[Program, ...]) -> None:
    storage = options.data / "prometheus"
    needed = options.history and any(program.name == "prometheus" for program in wanted)
    if not needed or (storage.exists() and any(storage.iterdir())):
        return
    if importlib.util.find_spec(HISTORY) is None:
        return
    storage.mkdir(parents=True, exist_ok=True)
    options.logs.mkdir(parents=True, exist_ok=True)
    log = options.logs / "history.log"
    step = Progress("first start: give Prometheus 36 days of the past")
    command = [sys.executable, "-m", HISTORY, "--data", str(storage)]
    if (
        run_logged(
            command, cwd=REPOSITORY, env={**os.environ, **options.ports}, log=log, beat=step.beat
        )
        != 0
    ):
        step.done("failed")
        raise StackError(f"The history could not be made (log: {log}).")
    step.done("done")


def _announce(options: Options, wanted: tuple[Program, ...]) -> None:
    pages = {
        "orders": ("the demo's API", "DEMO_PORT", "/docs"),
        "jaeger": ("traces (Jaeger's API)", "JAEGER_QUERY_PORT", "/api/v3/services"),
        "prometheus": ("metrics (Prometheus)", "PROMETHEUS_PORT", "/"),
        "alertmanager": ("alerts (Alertmanager)", "ALERTMANAGER_PORT", "/"),
        "load": ("load", "LOAD_PORT", "/factor"),
    }
    say("")
    for program in wanted:
        if program.name in pages:
            what, port, path = pages[program.name]
            say(f"  {what:24} http://{options.address(port)}{path}")
    say(f"  {'logs':24} {options.logs}")
    say("  Grafana, and the web pages of the backends, come with Docker: make demo MODE=compose")
    say("")
    options.ready_file.write_text("")
    say("ready; Ctrl-C stops everything and keeps the data")


@contextmanager
def stop_signals() -> Iterator[None]:
    """Turn SIGINT and SIGTERM into `Stopped` while the block runs."""

    def stop(signum: int, frame: FrameType | None) -> None:
        raise Stopped

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _ignore_signals() -> None:
    # A second Ctrl-C must not interrupt the clean-up.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
