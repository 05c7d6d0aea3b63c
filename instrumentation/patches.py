"""Functions of others that are replaced while somebody observes, and put back after."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, Final

Function = Callable[..., Any]


class Patch:
    """One function of a class, replaced by `around(original)` and put back.

    Where another library has wrapped our function in the meantime, taking ours out would take
    theirs out too: then it stays below theirs, has to do nothing by itself, and is not put on
    a second time.
    """

    def __init__(
        self,
        owner: type[Any],
        name: str,
        around: Callable[[Callable[..., Any]], Callable[..., Any]],
    ) -> None:
        self._owner: Final = owner
        self._name: Final = name
        self._around: Final = around
        self._original: Any = None
        self._ours: Any = None

    def apply(self) -> None:
        """Replace the function, unless ours is still below another's."""
        if self._ours is None:
            self._original = vars(self._owner)[self._name]
            # Another library's wrapper may have to be looked up on the class to be called.
            below = getattr(self._owner, self._name)
            self._ours = functools.wraps(below)(self._around(below))
            setattr(self._owner, self._name, self._ours)

    def undo(self) -> None:
        """Put the original back, unless another library has wrapped ours."""
        if self._ours is not None and vars(self._owner).get(self._name) is self._ours:
            setattr(self._owner, self._name, self._original)
            self._ours = None
