"""Whose code a thread is in: its stack without its frames, and the line to name for it."""

from __future__ import annotations

import os
import sys
from asyncio.base_events import BaseEventLoop
from asyncio.events import Handle
from asyncio.tasks import Task
from collections.abc import Iterable, Sequence
from functools import lru_cache
from pathlib import Path
from types import CodeType, FrameType
from typing import Any, Final, NamedTuple

from instrumentation.own_code import installed_package, is_ours, is_users
from instrumentation.runtime.loop.frames import uncollected

_RUN_ONCE: Final[CodeType] = BaseEventLoop._run_once.__code__  # type: ignore[attr-defined]
_RUN_HANDLE: Final[CodeType] = Handle._run.__code__
_FRAMEWORKS: Final = frozenset(
    ("anyio", "fastapi", "granian", "gunicorn", "h11", "httptools", "hypercorn", "sniffio",
     "starlette", "uvicorn", "uvloop")
)  # fmt: skip


class Spot(NamedTuple):
    """One level of a stack. It holds the code and not the frame, so it keeps no local alive."""

    code: CodeType
    line: int

    def is_users(self) -> bool:
        """Whether the code is the user's own."""
        return is_users(self.code.co_filename)

    def label(self) -> str:
        """`file.py:line function`, as a culprit is named."""
        return f"{os.path.basename(self.code.co_filename)}:{self.line} {function(self.code)}"


class Callback(NamedTuple):
    """What an event loop was running: the outermost frame above the loop, and its stack."""

    frame: FrameType
    stack: tuple[Spot, ...]


def callback(thread: int, base: int) -> Callback | None:
    """The callback that the loop of `thread` runs, innermost level first; None if it is idle.

    Whether the innermost call waits for something says nothing: `subprocess.run` ends in a
    selector as an idle loop does. What counts is if there is a callback beneath it.

    Arguments:
        base: the `id` of the frame that runs the loop, as `loop_frame` found it.
    """
    spots: list[Spot] = []
    outermost = handle = None
    with uncollected():
        frame = sys._current_frames().get(thread)
        while frame is not None and id(frame) != base and frame.f_code is not _RUN_ONCE:
            if frame.f_code is _RUN_HANDLE:
                handle = frame
            else:
                spots.append(Spot(frame.f_code, frame.f_lineno or frame.f_code.co_firstlineno))
                outermost = frame
            frame = frame.f_back
    asyncios = frame is not None and frame.f_code is _RUN_ONCE
    if outermost is None or (asyncios and handle is None):
        return None
    return Callback(outermost, tuple(spots))


def loop_frame(frame: FrameType | None) -> int:
    """The `id` of the frame that runs the loop, seen from a callback's caller.

    It lives as long as the loop runs. That of `_run_once` does not; uvloop has neither.
    """
    while frame is not None and frame.f_code in (_RUN_HANDLE, _RUN_ONCE):
        frame = frame.f_back
    return id(frame)


def below_task(task: Task[Any] | None) -> int:
    """The same, seen from a step of `task`; 0 where it can't be seen.

    It may be wrong for a while: a task that was started eagerly runs beneath another one's frames.
    """
    outermost = getattr(None if task is None else task.get_coro(), "cr_frame", None)
    runs = None if outermost is None else outermost.f_back
    return 0 if runs is None else loop_frame(runs)


def in_debugger(stack: Iterable[Spot]) -> bool:
    """Whether a debugger works there: what it holds up at a breakpoint is nobody's fault."""
    return any(_is_debuggers(spot.code.co_filename) for spot in stack)


def culprit(stack: Sequence[Spot]) -> Spot | None:
    """The line of `stack`, innermost level first, that its owner can change.

    The user's innermost line. Where the application itself is installed as a package, the
    innermost line of the outermost package that is no framework. Else (a framework's own work,
    such as encoding a response) the innermost line outside the standard library.
    """
    for spot in stack:
        if is_users(spot.code.co_filename):
            return spot
    names = [installed_package(spot.code.co_filename) for spot in stack]
    application = next((name for name in reversed(names) if name not in _FRAMEWORKS | {""}), None)
    wanted = (
        (spot for spot, name in zip(stack, names, strict=True) if name == application),
        (spot for spot, name in zip(stack, names, strict=True) if name),
        (spot for spot in stack if not is_ours(spot.code.co_filename)),
    )
    return next((spot for found in wanted for spot in found), None)


@lru_cache(maxsize=4096)
def _is_debuggers(filename: str) -> bool:
    parts = Path(filename).parts
    return parts[-1:] in (("bdb.py",), ("pdb.py",)) or any(
        part.startswith(("pydevd", "_pydevd", "debugpy")) for part in parts
    )


@lru_cache(maxsize=4096)
def function(code: CodeType) -> str:
    """The function's name; that of the one around it for a lambda or a comprehension."""
    names = [name for name in code.co_qualname.split(".") if not name.startswith("<")]
    return names[-1] if names else code.co_name


def text(stack: Iterable[Spot]) -> str:
    """The stack as a traceback writes it, the innermost level last."""
    import linecache  # only a report needs it

    lines = []
    for code, line in reversed(tuple(stack)):
        lines.append(f'  File "{code.co_filename}", line {line}, in {code.co_name}')
        source = linecache.getline(code.co_filename, line).strip()
        if source:
            lines.append(f"    {source}")
    return "\n".join(lines)
