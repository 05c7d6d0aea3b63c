"""The stack under drill: `python -m stack up` with ports, data and rules of its own.

Only its command line is used, so that the drill breaks what a user runs.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final, Self

from dotenv import dotenv_values

from drill.errors import DrillError
from drill.ports import free_ports
from drill.waiting import Waiter, say

if TYPE_CHECKING:
    from types import TracebackType

_REPOSITORY: Final = Path(__file__).resolve().parent.parent
_RULES_SECONDS: Final = 60
_BUILD_SECONDS: Final = 3600
_START_SECONDS: Final = 300
_STOP_SECONDS: Final = 150
# What a user set for other services would change what is drilled.
_FOREIGN: Final = ("OTEL_", "INSTRUMENTATION_", "DEMO_", "DATABASE_URL", "STACK_DATA")


class Stack:
    """Starts on entering the context, and leaves no process behind.

    Args:
        folder: for its data, its rules and its logs.
        scale: divides ranges, waits and intervals, from 1 to 10.
        webhook: address in front of each of Alertmanager's receivers.
        past: whether the rules need weeks to compare with, which take a while to make.
    """

    def __init__(self, folder: Path, scale: float, webhook: str, *, past: bool) -> None:
        self.rules = folder / "rules"
        self._data = folder / "data"
        self._log = folder / "log" / "stack.log"
        self._scale = scale
        self._webhook = webhook
        self._past = past
        names = [name for name in dotenv_values(_REPOSITORY / ".env") if name.endswith("_PORT")]
        self._ports = free_ports(names)
        self._process: subprocess.Popen[bytes] | None = None

    def url(self, port: str) -> str:
        """Return the address of a port, given by its variable's name."""
        return f"http://127.0.0.1:{self._ports[port]}"

    def __enter__(self) -> Self:
        self._prepare()
        arguments = (
            *("up", "--data", str(self._data), "--rules", str(self.rules)),
            *("--alertmanager-config", str(self.rules / "alertmanager" / "alertmanager.yml")),
            *("--scale", f"{self._scale:g}"),
            *(() if self._past else ("--no-history",)),
        )
        with self._log.open("wb") as sink:
            # Ctrl-C reaches the drill alone, which then lets the stack stop in order.
            self._process = subprocess.Popen(  # noqa: S603 - our own interpreter and arguments
                [sys.executable, "-m", "stack", *arguments],
                cwd=_REPOSITORY,
                env=self._environment(),
                stdin=subprocess.DEVNULL,
                stdout=sink,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        try:
            ready = self._data / "ready"
            Waiter(self.check).until(
                "ready stack", lambda: ready if ready.exists() else None, _START_SECONDS
            )
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stop()

    def check(self) -> None:
        """Raise a DrillError if the stack has ended."""
        if self._process is not None and self._process.poll() is not None:
            raise DrillError(f"The stack ended by itself: {self._last_words()}")

    def _prepare(self) -> None:
        """Build what is missing, and write the scaled rules."""
        _run("build the backends", _BUILD_SECONDS, "stack", "build")
        _run(
            "write the rules",
            _RULES_SECONDS,
            *("alerts", "--scale", f"{self._scale:g}", "--out", str(self.rules)),
            *("--webhook", self._webhook),
        )

    def _environment(self) -> dict[str, str]:
        own = {name: text for name, text in os.environ.items() if not name.startswith(_FOREIGN)}
        return {**own, **self._ports, "DEMO_ADMIN": "1"}

    def _stop(self) -> None:
        if self._process is None:
            return
        say("stop the stack")
        # A second Ctrl-C must not interrupt this.
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_IGN)
        self._process.terminate()
        try:
            self._process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            # Its runner notices the end of its parent, and ends the rest.
            self._process.kill()
            self._process.wait()
        self._process = None

    def _last_words(self) -> str:
        said = self._log.read_text(errors="replace").strip()
        error = re.split(r"^error: ", said, maxsplit=1, flags=re.MULTILINE)[-1]
        return error or "it said nothing"


def _run(what: str, seconds: float, module: str, *arguments: str) -> None:
    """Run one of the project's commands to its end; it shows its own progress."""
    command = [sys.executable, "-m", module, *arguments]
    try:
        done = subprocess.run(command, cwd=_REPOSITORY, timeout=seconds, check=False)  # noqa: S603 - a command of ours
    except subprocess.TimeoutExpired:
        raise DrillError(f"Could not {what} within {seconds:.0f} s.") from None
    if done.returncode != 0:
        raise DrillError(f"Could not {what}: `python -m {module}` says above why.")
