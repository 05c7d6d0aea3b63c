"""Hands programs to supervisord, which keeps their logs and ends whole process groups in order.

supervisord runs as a child in a session of its own: Ctrl-C reaches only this process, which then
lets it stop everything from the last stage to the first.
"""

import os
import shlex
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
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

STOP_SECONDS = 15
POLL_SECONDS = 0.1
LOG_BYTES = "20MB"


class Supervisor:
    """Runs programs until it is closed; a context manager that leaves no process behind."""

    def __init__(self, options: Options, programs: Iterable[Program]) -> None:
        self._options = options
        self._programs = {program.name: program for program in programs}
        # A Unix socket's path is limited to about 100 characters, the data folder's is not.
        self._folder = tempfile.TemporaryDirectory(prefix="stack-")
        self._socket = Path(self._folder.name) / "supervisor.sock"
        self._process: subprocess.Popen[bytes] | None = None
        self._server: Any = None

    def __enter__(self) -> Self:
        self._options.logs.mkdir(parents=True, exist_ok=True)
        config = Path(self._folder.name) / "supervisord.conf"
        config.write_text(configuration(self._options, self._programs.values(), self._socket))
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
        self._server.supervisor.startProcess(f"{_group(self._programs[name].stage)}:{name}", False)

    def check(self) -> None:
        """Raise a StackError if a program that was started has ended."""
        for state in self._server.supervisor.getAllProcessInfo():
            if state["statename"] not in ("RUNNING", "STOPPED", "STARTING"):
                raise StackError(self._obituary(state))

    def close(self) -> None:
        """Stop every program, the last stage first, then supervisord itself."""
        if self._process is not None:
            self._process.terminate()
            # supervisord waits for one program after another and kills what outstays its time.
            self._process.wait(timeout=STOP_SECONDS * (len(self._programs) + 1))
            self._process = None
        self._folder.cleanup()

    def _connect(self) -> None:
        deadline = time.monotonic() + STOP_SECONDS
        while True:
            # A transport whose first connection failed can't be used again.
            transport = SupervisorTransport(None, None, f"unix://{self._socket}")
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
        how = state["spawnerr"] or f"with status {state['exitstatus']}"
        return f"{program.name} ended {how} (log: {log}). Its last lines:\n{last}"


def configuration(options: Options, programs: Iterable[Program], socket: Path) -> str:
    """Return supervisord's configuration file."""
    head = f"""\
[unix_http_server]
file = {_literal(socket)}
chmod = 0700

[rpcinterface:supervisor]
supervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface

[supervisord]
nodaemon = true
silent = true
pidfile = {_literal(socket.with_name("supervisord.pid"))}
logfile = {_literal(options.logs / "supervisord.log")}
logfile_maxbytes = 1MB
logfile_backups = 1
"""
    stages: dict[int, list[Program]] = defaultdict(list)
    for program in programs:
        stages[program.stage].append(program)
    sections = [_section(options, program) for stage in stages.values() for program in stage]
    return "\n".join([head, *sections, *(_stage(*each) for each in stages.items())])


def _stage(stage: int, programs: list[Program]) -> str:
    # Groups stop in descending order of their priority, each once the one before is gone.
    return f"""\
[group:{_group(stage)}]
programs = {",".join(program.name for program in programs)}
priority = {stage}
"""


def _group(stage: int) -> str:
    return f"stage-{stage}"


def _section(options: Options, program: Program) -> str:
    environment = ",".join(f'{name}="{value}"' for name, value in program.environment.items())
    return f"""\
[program:{program.name}]
command = {_literal(shlex.join(_command(program)))}
directory = {_literal(REPOSITORY)}
environment = {_literal(environment)}
autostart = false
autorestart = false
startsecs = 0
stopwaitsecs = {STOP_SECONDS}
stopasgroup = true
killasgroup = true
redirect_stderr = true
stdout_logfile = {_literal(log_file(options, program))}
stdout_logfile_maxbytes = {LOG_BYTES}
stdout_logfile_backups = 1
"""


def _command(program: Program) -> tuple[str, ...]:
    if program.is_service:
        return program.command
    # A user's OTEL_* variables are meant for the services; the backends would obey some too.
    inherited = [name for name in os.environ if name.startswith("OTEL_")]
    foreign = [name for name in inherited if name not in program.environment]
    return ("env", *(f"--unset={name}" for name in foreign), *program.command)


def _literal(value: object) -> str:
    # supervisord expands % in every value.
    return str(value).replace("%", "%%")
