"""The demo's programs as processes of their own, ended with the `with` block."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import httpx

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

PATIENCE_SECONDS = 60.0


@contextlib.contextmanager
def program(module: str, log: Path, **variables: str) -> Iterator[subprocess.Popen[bytes]]:
    """Run `python -m module` with `variables` added to the environment; output goes to `log`."""
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", module],
            stdout=output,
            stderr=subprocess.STDOUT,
            env={**os.environ, **variables},
        )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()


def wait_until(true: Callable[[], bool], what: str) -> None:
    """Wait for a condition, and fail with `what` if it does not come."""
    end = time.monotonic() + PATIENCE_SECONDS
    while not true():
        if time.monotonic() > end:
            raise AssertionError(f"{what}: not within {PATIENCE_SECONDS:g} s")
        time.sleep(0.1)


def answers(url: str) -> bool:
    """Tell whether a GET of `url` is answered with a success."""
    with contextlib.suppress(httpx.TransportError):
        return httpx.get(url, timeout=2.0, trust_env=False).is_success
    return False
