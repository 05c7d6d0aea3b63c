"""Blocking calls inside `async def`, as ruff's ASYNC rules find them."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final, NamedTuple

from instrumentation.audit.errors import AuditError
from instrumentation.extras import remedy

_BLOCKING: Final = "ASYNC2"
"""The rules on calls that block; ASYNC1 is on time-outs and waiting."""

_IN_A_THREAD: Final = "await asyncio.to_thread(...)"
_IN_A_PROCESS: Final = "await asyncio.create_subprocess_exec(...)"
_ALTERNATIVES: Final = {
    "ASYNC210": "await client.get(...) of one shared httpx.AsyncClient",
    "ASYNC212": "await client.get(...) of one shared httpx.AsyncClient",
    "ASYNC220": _IN_A_PROCESS,
    "ASYNC221": f"{_IN_A_PROCESS}, then await process.wait()",
    "ASYNC222": f"{_IN_A_PROCESS}, then await process.wait()",
    "ASYNC230": f"async with await anyio.open_file(...), or {_IN_A_THREAD}",
    "ASYNC240": f"anyio.Path(...), whose methods are awaited, or {_IN_A_THREAD}",
    "ASYNC250": "await asyncio.to_thread(input, ...)",
    "ASYNC251": "await asyncio.sleep(...)",
}


class Finding(NamedTuple):
    """One call that blocks, from `line` to `last_line` of `path`."""

    path: Path
    line: int
    last_line: int
    rule: str
    message: str

    def alternative(self) -> str:
        """What to write instead."""
        return _ALTERNATIVES.get(self.rule, _IN_A_THREAD)


def find(paths: Sequence[Path]) -> list[Finding]:
    """What ruff finds below `paths`; its configuration and `noqa` comments are honoured.

    Raises:
        AuditError: a path doesn't exist or holds no Python, ruff is missing or fails, or a file
            can't be read as Python.
    """
    for path in paths:
        if not path.exists():
            raise AuditError(f"there is no {path}")
        if not any(_is_python(name) for name in _asked("--show-files", path).splitlines()):
            raise AuditError(f"{path} holds no Python that ruff would read")
    told = _asked("--select", _BLOCKING, "--output-format", "json", "--no-fix", *paths)
    try:
        return [_finding(item) for item in json.loads(told)]
    except (ValueError, KeyError, TypeError) as error:
        raise AuditError(f"ruff's answer can't be read ({error!r}): is it 0.15 or newer?") from None


def _asked(*arguments: str | Path) -> str:
    """Return what `ruff check` answers."""
    options = [each for each in arguments if isinstance(each, str)]
    paths = [str(each) for each in arguments if isinstance(each, Path)]
    command = [*_ruff(), "check", "--no-cache", *options, "--", *paths]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - ruff, of our own environment
    if done.returncode not in (0, 1):
        raise AuditError(f"ruff failed: {_last_line(done.stderr)}")
    return done.stdout


def _is_python(name: str) -> bool:
    """Whether a file that ruff lists is one: it reads the project's own file as well."""
    return bool(name.strip()) and Path(name).name != "pyproject.toml"


def _ruff() -> list[str]:
    """How to run ruff: this environment's, else the one on the PATH."""
    if find_spec("ruff") is not None:
        return [sys.executable, "-m", "ruff"]
    found = shutil.which("ruff")
    if found is None:
        raise AuditError(f"ruff is missing: {remedy('audit')}")
    return [found]


def _finding(item: dict[str, Any]) -> Finding:
    path, line = Path(item["filename"]), item["location"]["row"]
    if not str(item["code"]).startswith(_BLOCKING):
        raise AuditError(f"{path}:{line} can't be read as Python: {item['message']}")
    return Finding(path, line, item["end_location"]["row"], item["code"], item["message"])


def _last_line(text: str) -> str:
    return next((line for line in reversed(text.splitlines()) if line.strip()), "it says nothing")
