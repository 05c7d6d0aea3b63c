"""Fresh processes for the measurements, pinned to cores where the system can do that."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

# What a user set for other services would change what is measured.
_FOREIGN: Final = ("OTEL_", "INSTRUMENTATION_", "PROMETHEUS_")


class BenchError(RuntimeError):
    """A measurement could not be made; the text says why."""


def environment(**more: str) -> dict[str, str]:
    """The environment of a child: nothing of this machine's telemetry, no warnings."""
    kept = {name: text for name, text in os.environ.items() if not name.startswith(_FOREIGN)}
    return {**kept, "PYTHONWARNINGS": "ignore", **more}


def output(module: str, *arguments: str, core: int | None = None, **variables: str) -> Any:
    """Run `python -m module` to its end, and return the JSON that it prints.

    Raises:
        BenchError: it failed; the last line of what it said is told.
    """
    done = subprocess.run(  # noqa: S603 - a module of ours
        command(module, *arguments),
        env=environment(**variables),
        preexec_fn=pin(core),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        said = done.stderr.strip().splitlines() or ["it said nothing"]
        raise BenchError(f"{module} {' '.join(arguments)} failed: {said[-1]}")
    return json.loads(done.stdout.splitlines()[-1])


def command(module: str, *arguments: str) -> list[str]:
    """The command line of `python -m module`."""
    return [sys.executable, "-m", module, *arguments]


def pin(core: int | None) -> Any:
    """What binds a child to one core before it starts; nothing where there are too few."""
    if core is None or not hasattr(os, "sched_setaffinity"):
        return None
    available = sorted(os.sched_getaffinity(0))
    chosen = {available[core % len(available)]}
    return lambda: os.sched_setaffinity(0, chosen)


@contextlib.contextmanager
def sink() -> Iterator[Mapping[str, str]]:
    """An OTLP endpoint on a core of its own; the variables that lead to it."""
    process = subprocess.Popen(  # noqa: S603 - a module of ours
        command("benchmarks.sink"), stdout=subprocess.PIPE, text=True, preexec_fn=pin(1)
    )
    try:
        assert process.stdout is not None  # noqa: S101 - it is a pipe
        port = process.stdout.readline().strip()
        if not port.isdecimal():
            raise BenchError("the OTLP endpoint of the benchmark did not start")
        yield {"OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{port}"}
    finally:
        process.terminate()
        process.communicate()
