"""Runs the stack with Docker Compose until Ctrl-C."""

import time

from stack.commands import attached, output
from stack.console import say
from stack.environment import REPOSITORY, load
from stack.errors import StackError
from stack.options import Options
from stack.pages import PAGES, announce
from stack.preflight import check_free, check_settings
from stack.programs import SERVICES, programs
from stack.signals import Stopped, ignore_signals, stop_signals

COMPOSE = ("docker", "compose", "--project-directory", str(REPOSITORY))
STOP_SECONDS = "30"


def compose() -> None:
    """Start every service, wait until all are ready, and stop them on Ctrl-C or SIGTERM.

    Raises:
        StackError: something was wrong before the start, or a service did not become ready.
    """
    _check()
    with stop_signals():
        try:
            _must("up", "--build", "--detach", "--remove-orphans", "--scale", "ready=0")
            _must("run", "--rm", "ready")
            announce([page.program for page in PAGES], load(), native=False)
            say("ready; Ctrl-C stops everything and keeps the data")
            while True:
                time.sleep(1)
        except Stopped:
            say("stopping")
        finally:
            ignore_signals()
            # Without --volumes, the data stays.
            attached([*COMPOSE, "down", "--timeout", STOP_SECONDS])


def _check() -> None:
    if not all(_works(command) for command in (["docker", "info"], [*COMPOSE, "version"])):
        raise StackError(
            "MODE=compose needs a Docker engine that answers, and Docker's compose command; "
            "MODE=native needs neither."
        )
    for program in programs(Options(data=REPOSITORY, only=SERVICES)):
        check_settings(program)
    # Its own containers hold the ports after a start whose terminal was lost.
    if not output([*COMPOSE, "ps", "--quiet"])[1].strip():
        for variable, port in load().items():
            if variable.endswith("_PORT"):
                check_free(variable, port, "the published port of a container")


def _works(command: list[str]) -> bool:
    try:
        return output(command)[0] == 0
    except FileNotFoundError:
        return False


def _must(*arguments: str) -> None:
    status = attached([*COMPOSE, *arguments])
    if status != 0:
        raise StackError(f"docker compose {arguments[0]} failed with status {status}.")
