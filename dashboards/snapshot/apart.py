"""Draws a snapshot in a process of its own, for whoever may neither fail nor hang with it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

_REPOSITORY: Final = Path(__file__).resolve().parent.parent.parent
SECONDS: Final = 60.0
"""Longest time that a drawing may take."""


def draw(
    board: str,
    *,
    prometheus: str,
    jaeger: str,
    start: float,
    scrape: float,
    given: Mapping[str, str],
    out: Path,
    seconds: float = SECONDS,
) -> str:
    """Draw a dashboard as it looked from `start` until now; return one line for the terminal.

    The line says where the page is, or why there is none: a picture that can't be drawn is no
    reason for anything else to fail. An older page at the same place is removed first, so that it
    is not taken for this one.

    Args:
        board: name of the dashboard.
        prometheus: its address.
        jaeger: its address.
        start: Unix time.
        scrape: seconds between two scrapes of a service.
        given: values of the dashboard's variables.
        out: the page; its folder is made if it is missing.
        seconds: after so many the drawing is given up.
    """
    command = [
        *(sys.executable, "-m", "dashboards", "snapshot", board),
        *("--prometheus", prometheus, "--jaeger", jaeger),
        *("--from", f"{start:.3f}", "--scrape", f"{scrape:g}", "--out", str(out.absolute())),
        *(word for name, value in given.items() for word in ("--var", f"{name}={value}")),
    ]
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        out.unlink(missing_ok=True)
        done = subprocess.run(  # noqa: S603 - our own interpreter and arguments
            command,
            cwd=_REPOSITORY,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
            # Ctrl-C is for the caller alone, who may skip the drawing.
            start_new_session=True,
        )
    except subprocess.TimeoutExpired:
        return f"no snapshot: it was not drawn within {seconds:g} s"
    except OSError as error:
        return f"no snapshot: {error}"
    if done.returncode != 0:
        return f"no snapshot: {_last_words(done.stderr)}"
    return f"snapshot of the {board} dashboard: {out}"


def _last_words(said: str) -> str:
    lines = said.strip().splitlines() or ["the drawing said nothing"]
    return lines[-1].removeprefix("error: ")
