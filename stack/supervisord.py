"""Writes supervisord's configuration: one group of programs for each stage."""

import os
import shlex
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

from stack.environment import REPOSITORY
from stack.options import Options
from stack.programs import Program, log_file

SOCKET = "supervisor.sock"
LIFELINE = "lifeline"
STOP_SECONDS = 15
LOG_BYTES = "20MB"


def configuration(options: Options, programs: Iterable[Program], folder: Path) -> str:
    """Return supervisord's configuration; its socket, process id and lifeline are in `folder`."""
    head = f"""\
[unix_http_server]
file = {_literal(folder / SOCKET)}
chmod = 0700

[rpcinterface:supervisor]
supervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface

[supervisord]
nodaemon = true
silent = true
pidfile = {_literal(folder / "supervisord.pid")}
logfile = {_literal(options.logs / "supervisord.log")}
logfile_maxbytes = 1MB
logfile_backups = 1

[program:lifeline]
command = sh -c 'read _ < "{_literal(folder / LIFELINE)}"; kill "$PPID"'
priority = 0
autorestart = false
startsecs = 0
stdout_logfile = NONE
stderr_logfile = NONE
"""
    stages: dict[int, list[Program]] = defaultdict(list)
    for program in programs:
        stages[program.stage].append(program)
    sections = [_section(options, program) for stage in stages.values() for program in stage]
    return "\n".join([head, *sections, *(_stage(*each) for each in stages.items())])


def _stage(stage: int, programs: list[Program]) -> str:
    # Groups stop in descending order of their priority, each once the one before is gone.
    return f"""\
[group:{group(stage)}]
programs = {",".join(program.name for program in programs)}
priority = {stage}
"""


def group(stage: int) -> str:
    """Return the name of the group that a stage's programs belong to."""
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
