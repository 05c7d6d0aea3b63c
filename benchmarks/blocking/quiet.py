"""What is not to be reported: a busy service, a stopped process, a starved one."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

from benchmarks.blocking.find import describe, is_collection
from benchmarks.blocking.service import Service, load

UTILIZATION: Final = 0.7
_LIGHT_SECONDS: Final = 0.003
_STOPS: Final = (0.2, 0.5, 1.0)
_HOGS: Final = 3
_NICE: Final = 10


@dataclass
class Result:
    """What was reported while nothing blocked."""

    name: str
    blocks: list[str]
    stalled: dict[str, float]
    cpu: float
    expected: str = ""

    @property
    def good(self) -> bool:
        """No block, and the standstill if there was one."""
        return not self.blocks and (not self.expected or self.stalled.get(self.expected, 0) > 0)

    def lines(self) -> list[str]:
        """The figures."""
        stalled = ", ".join(f"{why} {seconds:.1f} s" for why, seconds in self.stalled.items())
        return [
            f"{self.name}: {len(self.blocks)} false reports at {self.cpu:.0%} CPU; "
            f"told as standstills: {stalled or 'none'}",
            *(f"invented: {block}" for block in self.blocks),
        ]


async def healthy(service: Service, seconds: float) -> Result:
    """Keep the service busy for `seconds`, with garbage to collect, and nothing that blocks."""
    before = _Reading(service)
    # Steered by what the service really uses: a request costs more than its own work.
    rate, end = 120.0, before.at + seconds
    while (left := end - time.perf_counter()) > 0:
        reading = _Reading(service)
        async with load(service, rate, _LIGHT_SECONDS):
            await asyncio.sleep(min(5.0, left))
        used = _Reading(service).utilization(reading)
        rate *= min(2.0, UTILIZATION / max(used, 0.1))
    return _result("healthy load", before, _Reading(service))


async def stopped(service: Service) -> Result:
    """Stop the process in the middle of its work, and let it go on."""
    before = _Reading(service)
    async with load(service, 50.0):
        for seconds in _STOPS:
            await asyncio.sleep(1)
            service.process.send_signal(signal.SIGSTOP)
            await asyncio.sleep(seconds)
            service.process.send_signal(signal.SIGCONT)
        await asyncio.sleep(1)
    return _result("SIGSTOP", before, _Reading(service), "stopped")


async def starved(service: Service, seconds: float) -> Result:
    """Have other programs take the CPU away."""
    before = _Reading(service)
    async with load(service, 10.0):
        with _hogs(service):
            await asyncio.sleep(seconds)
    return _result("starved by other processes", before, _Reading(service), "starved")


class _Reading:
    def __init__(self, service: Service) -> None:
        told = service.told()
        self.at = time.perf_counter()
        self.cpu: float = told["cpu"]
        self.stalled: dict[str, float] = told["stalled"]
        self.collections: list[dict[str, Any]] = told["collections"]
        self.blocks: list[dict[str, Any]] = told["blocks"]

    def utilization(self, earlier: _Reading) -> float:
        return (self.cpu - earlier.cpu) / (self.at - earlier.at)


def _result(name: str, before: _Reading, after: _Reading, expected: str = "") -> Result:
    new = after.blocks[len(before.blocks) :]
    stalled = {
        why: seconds - before.stalled.get(why, 0.0) for why, seconds in after.stalled.items()
    }
    return Result(
        name=name,
        blocks=[describe(b) for b in new if not is_collection(b, after.collections)],
        stalled={why: seconds for why, seconds in stalled.items() if seconds},
        cpu=after.utilization(before),
        expected=expected,
    )


@contextmanager
def _hogs(service: Service) -> Iterator[None]:
    """Programs that spin on the one CPU that the service has, and may use it rather than it."""
    pid = service.process.pid
    threads = [int(name) for name in os.listdir(f"/proc/{pid}/task")]
    cpus = os.sched_getaffinity(0)
    one = {min(cpus)}
    niceness = {thread: os.getpriority(os.PRIO_PROCESS, thread) for thread in threads}
    hogs = []
    try:
        for thread in threads:
            os.sched_setaffinity(thread, one)
            os.setpriority(os.PRIO_PROCESS, thread, _NICE)
        for _ in range(_HOGS):
            hogs.append(subprocess.Popen([sys.executable, "-c", "while True: pass"]))
            os.sched_setaffinity(hogs[-1].pid, one)
        yield
    finally:
        for hog in hogs:
            hog.kill()
            hog.wait()
        for thread in threads:
            os.sched_setaffinity(thread, cpus)
            if niceness[thread] <= 0 and os.geteuid() == 0:
                os.setpriority(os.PRIO_PROCESS, thread, niceness[thread])
