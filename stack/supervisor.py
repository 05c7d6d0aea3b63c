"""Hands programs to supervisord, which keeps their logs and ends whole process groups in order.

supervisord runs as a child in a session of its own: Ctrl-C reaches only this process, which then
lets it stop everything from the last stage to the first.
"""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from xmlrpc.client import ServerProxy

from supervisor.xmlrpc import SupervisorTransport  # type: ignore[import-untyped]

from stack.environment import REPOSITORY
from stack.errors import StackError
from stack.options import Options
from stack.programs import Program, log_file
from stack.supervisord import LIFELINE, SOCKET, STOP_SECONDS, configuration, group

LONGEST_FOLDER = 60
POLL_SECONDS = 0.1


class Supervisor:
    """Runs programs until it is closed; a context manager that leaves no process behind."""

    def __init__(self, options: Options, programs: Iterable[Program]) -> None:
        self._options = options
        self._programs = {program.name: program for program in programs}
        self._folder = _short_folder()
        self._lifeline = Lifeline(Path(self._folder.name) / LIFELINE)
        self._process: subprocess.Popen[bytes] | None = None
        self._server: Any = None

    def __enter__(self) -> Self:
        self._options.logs.mkdir(parents=True, exist_ok=True)
        folder = Path(self._folder.name)
        config = folder / "supervisord.conf"
        config.write_text(configuration(self._options, self._programs.values(), folder))
        self._lifeline.open()
        self._process = subprocess.Popen(  # noqa: S603 - our own interpreter and file
            [sys.executable, "-m", "supervisor.supervisord", "--configuration", str(config)],
            cwd=REPOSITORY,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            self._connect()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def start(self, name: str) -> None:
        """Start one program; whether it works is for `check` and its readiness to tell."""
        self._server.supervisor.startProcess(f"{group(self._programs[name].stage)}:{name}", False)

    def check(self) -> None:
        """Raise a StackError if a program that was started has ended."""
        for state in self._server.supervisor.getAllProcessInfo():
            known = state["name"] in self._programs
            if known and state["statename"] not in ("RUNNING", "STOPPED", "STARTING"):
                raise StackError(self._obituary(state))

    def close(self) -> None:
        """Stop every program, the last stage first, then supervisord itself."""
        if self._process is not None:
            self._process.terminate()
            # supervisord waits for one program after another and kills what outstays its time.
            self._process.wait(timeout=STOP_SECONDS * (len(self._programs) + 1))
            self._process = None
        self._lifeline.close()
        self._folder.cleanup()

    def _connect(self) -> None:
        deadline = time.monotonic() + STOP_SECONDS
        while True:
            # A transport whose first connection failed can't be used again.
            transport = SupervisorTransport(None, None, f"unix://{self._folder.name}/{SOCKET}")
            self._server = ServerProxy("http://localhost", transport=transport)
            try:
                self._server.supervisor.getState()
                return
            except OSError as error:
                ended = self._process is None or self._process.poll() is not None
                if ended or time.monotonic() > deadline:
                    log = self._options.logs / "supervisord.log"
                    raise StackError(f"supervisord did not start (log: {log}).") from error
                time.sleep(POLL_SECONDS)

    def _obituary(self, state: dict[str, Any]) -> str:
        program = self._programs[state["name"]]
        log = log_file(self._options, program)
        lines = log.read_text(errors="replace").splitlines()[-10:] if log.exists() else []
        last = "\n".join(f"  {line}" for line in lines)
        how = _how_it_ended(state)
        return f"{program.name} ended {how} (log: {log}). Its last lines:\n{last}"


def _short_folder() -> tempfile.TemporaryDirectory[str]:
    """A folder for the socket, whose path the kernel limits to about 100 characters.

    The data folder's path has no limit, and neither has TMPDIR's.
    """
    usual = Path(tempfile.gettempdir())
    short = len(str(usual)) <= LONGEST_FOLDER
    return tempfile.TemporaryDirectory(prefix="stack-", dir=usual if short else "/tmp")  # noqa: S108 - a socket's path must be short


def _how_it_ended(state: dict[str, Any]) -> str:
    """supervisord gives a killed program the exit status -1."""
    if state["exitstatus"] < 0:
        return "by a signal"
    return state["spawnerr"] or f"with status {state['exitstatus']}"


class Lifeline:
    """A named pipe that this process holds open: its end tells supervisord's child of our death.

    Without it, a runner that is killed would leave the whole stack behind.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._descriptor: int | None = None

    def open(self) -> None:
        """Make the pipe; reading as well keeps the call from waiting for the other end."""
        os.mkfifo(self.path, 0o600)
        self._descriptor = os.open(self.path, os.O_RDWR)

    def close(self) -> None:
        """Let go of the pipe."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None
