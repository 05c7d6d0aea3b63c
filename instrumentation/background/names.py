"""What a piece of work is called: by its function, never by a name that somebody made up."""

from __future__ import annotations

from collections.abc import Coroutine
from functools import partial
from typing import Any, Final

_LONGEST: Final = 120


def label(function: Any) -> str:
    """The function's qualified name, as a metric's label."""
    while isinstance(function, partial):
        function = function.func
    name = getattr(function, "__qualname__", None) or type(function).__qualname__
    return str(name)[:_LONGEST]


def attributes(function: Any, kind: str) -> dict[str, str]:
    """What a span says of the work that is a call of `function`."""
    while isinstance(function, partial):
        function = function.func
    module = getattr(function, "__module__", None) or type(function).__module__
    return _attributes(str(module), label(function), kind)


def attributes_of_coroutine(coro: Coroutine[Any, Any, Any], kind: str) -> dict[str, str]:
    """What a span says of the work that `coro` will do."""
    frame = coro.cr_frame  # type: ignore[attr-defined]
    module = "" if frame is None else str(frame.f_globals.get("__name__", ""))
    return _attributes(module, label(coro), kind)


def _attributes(module: str, name: str, kind: str) -> dict[str, str]:
    return {
        "background.task": name,
        "background.kind": kind,
        "code.function.name": f"{module}.{name}" if module else name,
    }
