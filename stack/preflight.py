"""Checks before anything starts: each failure is one sentence that says what to change."""

import os
import re
import socket
import sys
from collections.abc import Iterable, Mapping

from stack.binaries import binary
from stack.commands import output
from stack.errors import StackError
from stack.options import Options
from stack.programs import Program

LARGEST_PORT = 65535
READ_SETTINGS = """
import sys
from instrumentation import Settings
try:
    Settings.from_env()
except ValueError as error:
    sys.exit(str(error))
"""


def check(options: Options, programs: Iterable[Program]) -> None:
    """Check ports, telemetry settings, rules and configuration files.

    Raises:
        StackError: the first thing found wrong.
    """
    named = {program.name: program for program in programs}
    check_ports(options, named.values())
    for program in named.values():
        if program.is_service:
            check_settings(program)
    if "prometheus" in named:
        check_rules(options)
        check_prometheus(options)
    if "alertmanager" in named:
        check_alertmanager(options)
    for name in ("collector", "jaeger"):
        if name in named:
            check_configuration(named[name])


def check_ports(options: Options, programs: Iterable[Program]) -> None:
    """Every port must be a number, free, and used once."""
    used: dict[int, str] = {}
    for program in programs:
        for variable in program.ports:
            port = check_free(variable, options.ports[variable], program.name)
            if port in used:
                raise StackError(
                    f"{variable} and {used[port]} are both {port}: give each a port of its own."
                )
            used[port] = variable


def check_free(variable: str, text: str, use: str) -> int:
    """Return the port that a variable holds; it must be a number that nobody listens on."""
    if not text.isdecimal() or not 1 <= int(text) <= LARGEST_PORT:
        raise StackError(f"{variable} must be a port from 1 to {LARGEST_PORT}, not {text!r}.")
    port = int(text)
    if not is_free(port):
        raise StackError(
            f"Port {port} for {use} is taken: stop what listens there, or set {variable} to a "
            f"free port."
        )
    return port


def is_free(port: int) -> bool:
    """Return whether a program could listen on this port of 127.0.0.1 now."""
    with socket.socket() as probe:
        # Connections of an earlier run that only wait for their end don't count.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def check_settings(program: Program) -> None:
    """The service would refuse the same OTEL_* value, but after the rest had started."""
    environment = {**os.environ, **program.environment}
    status, text = output([sys.executable, "-c", READ_SETTINGS], env=environment)
    if status != 0:
        raise StackError(f"{program.name} can't start: {_reason(text)}")


def check_rules(options: Options) -> None:
    """Every rule file must parse."""
    if not options.rules.is_dir():
        raise StackError(f"The folder of rule files {options.rules} does not exist.")
    for path in sorted(options.rules.glob("*.yml")):
        status, text = output([str(binary("promtool")), "check", "rules", str(path)])
        if status != 0:
            raise StackError(f"The rule file {path} is broken: {_reason(text)}")


def check_prometheus(options: Options) -> None:
    """The rendered configuration must load, whatever the state of its target files."""
    config = options.config / "prometheus.yml"
    command = [str(binary("promtool")), "check", "config", "--syntax-only", str(config)]
    status, text = output(command)
    if status != 0:
        raise StackError(f"Prometheus's configuration is broken: {_reason(text)}")


def check_alertmanager(options: Options) -> None:
    """Routes, receivers and templates must be consistent."""
    path = options.alertmanager_config
    status, text = output([str(binary("amtool")), "check-config", str(path)])
    if status != 0:
        raise StackError(f"Alertmanager's configuration {path} is broken: {_reason(text)}")


def check_configuration(program: Program) -> None:
    """Collector and Jaeger know a `validate` command that takes the same arguments."""
    command, *arguments = program.command
    environment = {**without_telemetry(os.environ), **program.environment}
    status, text = output([command, "validate", *arguments], env=environment)
    if status != 0:
        raise StackError(f"The configuration of {program.name} is broken: {_reason(text)}")


def without_telemetry(environment: Mapping[str, str]) -> dict[str, str]:
    """Return an environment for a backend: OTEL_* is meant for the services."""
    return {name: value for name, value in environment.items() if not name.startswith("OTEL_")}


def _reason(text: str) -> str:
    # amtool gives the reason behind the word and a summary after it; the others end with it.
    told = re.findall(r"FAILED: +(\S.*)", text)
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return [*lines, *told][-1] if lines else "it said nothing"
