"""Throughput and tail behind uvicorn: the server on one core, the client on the other."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from statistics import median
from typing import Any, Final

from benchmarks import children
from benchmarks.children import BenchError
from benchmarks.targets import Target

CONNECTIONS: Final = 200
SHARE: Final = 0.6
"""Of the bare application's capacity: the fixed rate at which the tail is measured."""

_ROUND: Final = ("bare", "ours-10", "bare-again")
_START_SECONDS: Final = 30.0
_BOTH_CORES: Final = 2


@dataclass
class Served:
    """One figure of every round, by what was served.

    `bare-again` is the bare application a second time: its ratio to itself is what the machine
    makes of no difference at all.
    """

    closed: dict[str, list[float]] = field(default_factory=lambda: {name: [] for name in _ROUND})
    p99: dict[str, list[float]] = field(default_factory=lambda: {name: [] for name in _ROUND})

    def targets(self) -> list[Target]:
        """The promises about served requests.

        Raises:
            BenchError: the bare application would not keep them beside itself.
        """
        return [
            _target("throughput over bare, closed loop", self.closed, 0.85, at_least=True),
            _target("p99 over bare at 60 % of its capacity", self.p99, 1.15),
        ]


def measure(rounds: int, seconds: float, say: Callable[[str], object]) -> Served:
    """Measure each variant once a round, in a fresh server, for `seconds` each time.

    Raises:
        BenchError: there are too few cores, or a server or client failed.
    """
    if (os.cpu_count() or 1) < _BOTH_CORES:
        raise BenchError("client and server need a core each, and this machine has one")
    found = Served()
    with children.sink() as endpoint:
        for number in range(1, rounds + 1):
            for name in _ROUND:
                with served(name.removesuffix("-again"), endpoint) as port:
                    found.closed[name].append(_load(port, seconds, 0)["rate"])
            rate = SHARE * median(found.closed["bare"])
            for name in _ROUND:
                with served(name.removesuffix("-again"), endpoint) as port:
                    found.p99[name].append(_load(port, seconds, rate)["p99"])
            told = (
                f"{name} {found.closed[name][-1]:.0f}/s, p99 {found.p99[name][-1] * 1e3:.1f} ms"
                for name in _ROUND
            )
            say(f"round {number} of {rounds}: {'; '.join(told)}")
    return found


def _target(name: str, found: Mapping[str, list[float]], bound: float, **more: Any) -> Target:
    ratios = _ratios(found["ours-10"], found["bare"])
    same = _ratios(found["bare-again"], found["bare"])
    if not Target(name, median(same), bound, **more).holds:
        raise BenchError(
            f"the machine is too busy to tell the {name}: "
            f"the bare application over itself is {median(same):.2f}"
        )
    note = f"rounds {_spread(ratios)}; bare over itself {median(same):.2f}, {_spread(same)}"
    return Target(name, median(ratios), bound, note=note, **more)


def _ratios(mine: list[float], bare: list[float]) -> list[float]:
    return [one / other for one, other in zip(mine, bare, strict=True)]


def _spread(ratios: list[float]) -> str:
    return f"{min(ratios):.2f} to {max(ratios):.2f}"


def _load(port: int, seconds: float, rate: float) -> Mapping[str, float]:
    arguments = (str(port), str(CONNECTIONS), str(seconds), str(rate))
    found: Mapping[str, float] = children.output("benchmarks.client", *arguments, core=1)
    if found["failed"]:
        raise BenchError(f"{found['failed']:.0f} requests of the benchmark failed")
    return found


def served(variant: str, endpoint: Mapping[str, str]) -> contextlib.AbstractContextManager[int]:
    """uvicorn on a core of its own, serving `variant`; its port."""
    return running("benchmarks.variants:served", core=0, BENCH_VARIANT=variant, **endpoint)


@contextlib.contextmanager
def running(factory: str, core: int | None = None, **variables: str) -> Iterator[int]:
    """uvicorn with the application that `factory` makes; its port."""
    port = _free_port()
    process = subprocess.Popen(  # noqa: S603 - our own interpreter
        [sys.executable, "-m", "uvicorn", "--factory", factory,
         "--port", str(port), "--no-access-log", "--log-level", "critical", "--loop", "uvloop",
         "--http", "httptools"],
        env=children.environment(**variables),
        preexec_fn=children.pin(core),
        stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        _wait(port, process)
        yield port
    finally:
        process.terminate()
        process.wait()


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def _wait(port: int, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + _START_SECONDS
    while time.monotonic() < until and process.poll() is None:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port)):
            return
        time.sleep(0.05)
    raise BenchError("uvicorn did not start for the benchmark")
