"""Eight ways to hold an event loop. Each line that does it is marked, and has to be named."""

from __future__ import annotations

import inspect
import os
import re
import sqlite3
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import Callable
from typing import Final

Kind = Callable[[float], None]

_MARK: Final = "# holds"
_COUNT: Final = """
    WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < ?)
    SELECT count(*) FROM numbers
"""
SLOW_SERVER: Final = "SLOW_SERVER"
"""The variable with the address of a server that answers after as many seconds as asked."""


def sleep(seconds: float) -> None:
    """Wait for nothing."""
    time.sleep(seconds)  # holds


def python(seconds: float) -> None:
    """Burn CPU in bytecode."""
    end = time.thread_time() + seconds
    while time.thread_time() < end:  # holds
        pass  # holds


def c_call(seconds: float) -> None:
    """Burn CPU in one C call that keeps the interpreter's lock."""
    sum(range(_amount(_sum, seconds)))  # holds


def expression(seconds: float) -> None:
    """Have a regular expression backtrack, in one C call that keeps the lock."""
    re.match(r"a*a*b", "a" * _amount(_match, seconds, 2.0))  # holds


def http(seconds: float) -> None:
    """Ask another service."""
    with urllib.request.urlopen(f"{os.environ[SLOW_SERVER]}/?{seconds}") as response:  # noqa: S310 - loopback # holds
        response.read()  # holds


def sqlite(seconds: float) -> None:
    """Have SQLite count."""
    with sqlite3.connect(":memory:") as database:
        database.execute(_COUNT, (_amount(_count, seconds),)).fetchone()  # holds


def program(seconds: float) -> None:
    """Run a program."""
    subprocess.run(["sleep", str(seconds)], check=True)  # noqa: S603, S607 - fixed # holds


def file(seconds: float) -> None:
    """Write to the disk again and again."""
    end = time.perf_counter() + seconds
    with tempfile.TemporaryFile() as found:
        while time.perf_counter() < end:  # holds
            found.write(b"x" * 65536)  # holds
            found.flush()  # holds
            os.fsync(found.fileno())  # holds


KINDS: Final[dict[str, Kind]] = {
    kind.__name__: kind for kind in (sleep, python, c_call, expression, http, sqlite, program, file)
}


def culprits(kind: Kind) -> list[str]:
    """The lines of `kind` that may be named, as the culprit label has them."""
    lines, first = inspect.getsourcelines(kind)
    name = os.path.basename(__file__)
    marked = [first + index for index, line in enumerate(lines) if _MARK in line]
    return [f"{name}:{number} {kind.__name__}" for number in marked]


def _sum(amount: int) -> None:
    sum(range(amount))


def _match(amount: int) -> None:
    re.match(r"a*a*b", "a" * amount)


def _count(amount: int) -> None:
    sqlite3.connect(":memory:").execute(_COUNT, (amount,)).fetchone()


_speeds: dict[Kind | Callable[[int], None], float] = {}


def _amount(work: Callable[[int], None], seconds: float, power: float = 1.0) -> int:
    """How much work takes `seconds` of CPU, if `n` times as much takes n to the `power`."""
    if work not in _speeds:
        raise LookupError("calibrate() was not called")
    return int((seconds / _speeds[work]) ** (1 / power))


def calibrate() -> None:
    """Find out how fast this machine is."""
    works = ((_sum, 2_000_000, 1.0), (_match, 3_000, 2.0), (_count, 200_000, 1.0))
    for work, amount, power in works:
        spent = []
        for _ in range(3):
            before = time.thread_time()
            work(amount)
            spent.append(time.thread_time() - before)
        _speeds[work] = min(spent) / amount**power
