"""Runs programs. The only module of this package that starts a short-lived one."""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

POLL_SECONDS = 1.0
TERMINATE_SECONDS = 5.0


def output(
    command: Sequence[str], *, env: Mapping[str, str] | None = None, timeout: float = 60
) -> tuple[int, str]:
    """Run a command to its end; return its exit status and everything it printed.

    Args:
        command: program and arguments; no shell is involved.
        env: the whole environment; None inherits ours.
        timeout: seconds until it is killed, which raises subprocess.TimeoutExpired.
    """
    result = subprocess.run(  # noqa: S603 - the arguments are our own, and no shell reads them
        list(command),
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=timeout,
        check=False,
    )
    return result.returncode, result.stdout


def attached(command: Sequence[str]) -> int:
    """Run a command that talks to the user itself; return its exit status."""
    return subprocess.call(list(command))  # noqa: S603 - the arguments are our own, no shell


def run_logged(
    command: Sequence[str],
    *,
    cwd: Path,
    env: Mapping[str, str],
    log: Path,
    beat: Callable[[], None],
) -> int:
    """Run a long command with its output appended to `log`; call `beat` about once a second.

    The command gets a process group of its own, which ends with us whatever interrupts the wait:
    a compiler left behind would go on for minutes.
    """
    with log.open("ab") as sink:
        process = subprocess.Popen(  # noqa: S603 - the arguments are our own, no shell reads them
            list(command),
            cwd=cwd,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=sink,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        while True:
            try:
                return process.wait(timeout=POLL_SECONDS)
            except subprocess.TimeoutExpired:
                beat()
    finally:
        if process.poll() is None:
            _end_group(process)


def _end_group(process: subprocess.Popen[bytes]) -> None:
    os.killpg(process.pid, signal.SIGTERM)
    deadline = time.monotonic() + TERMINATE_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.05)
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
