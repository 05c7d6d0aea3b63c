"""Starts the native stack, keeps watch over it, and stops it."""

import itertools
import time
from collections.abc import Callable

from stack.console import say
from stack.history.make import make
from stack.history.series import environment_name
from stack.options import Options
from stack.pages import announce
from stack.preflight import check
from stack.programs import Program, programs, resource_attributes
from stack.ready import wait
from stack.render import render
from stack.signals import Stopped, ignore_signals, stop_signals
from stack.snapshot import snapshot
from stack.supervisor import Supervisor

WATCH_SECONDS = 0.5


def up(options: Options) -> None:
    """Run the stack until Ctrl-C or SIGTERM.

    Raises:
        StackError: something was wrong before the start, or a program ended by itself.
        OSError: the data folder can't be written.
    """
    options.data.mkdir(parents=True, exist_ok=True)  # or it would be known after a long build
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
            start(supervisor, wanted)
            began = time.time()
            announce([program.name for program in wanted], options.ports, native=True)
            say(f"  logs are in {options.logs}")
            say("  Grafana, and pages of Jaeger and Prometheus, come with make demo MODE=compose")
            options.ready_file.write_text("")
            say("ready; Ctrl-C stops everything and keeps the data")
            watch(supervisor, lambda: snapshot(options, wanted, began))
        finally:
            ignore_signals()
            options.ready_file.unlink(missing_ok=True)
            say("stopping")


def watch(supervisor: Supervisor, before_the_end: Callable[[], None]) -> None:
    """Wait until somebody asks for the end, and on Ctrl-C do one thing more while all runs."""
    try:
        while True:
            time.sleep(WATCH_SECONDS)
            supervisor.check()
    except Stopped as stopped:
        if stopped.by_hand:
            before_the_end()
        raise


def start(supervisor: Supervisor, wanted: tuple[Program, ...]) -> None:
    """Start every program, each stage once the one before is ready."""
    stages = itertools.groupby(
        sorted(wanted, key=lambda program: program.stage), key=lambda program: program.stage
    )
    for _, group in stages:
        members = list(group)
        for program in members:
            supervisor.start(program.name)
        wait({program.name: program.ready for program in members}, watch=supervisor.check)


def _make_history(options: Options, wanted: tuple[Program, ...]) -> None:
    if options.history and any(program.name == "prometheus" for program in wanted):
        make(
            options.data / "prometheus",
            options.config / "targets" / "services.json",
            environment_name(resource_attributes()),
            time.time(),
        )
