"""Functions of the C library, called without giving up the interpreter's lock.

Python's own give it up where they may have to wait, and ask a busy thread to get it back, which
takes five milliseconds. What is called here never waits.
"""

from __future__ import annotations

import ctypes
from typing import Any


def function(name: str, *arguments: Any, result: Any = ctypes.c_int) -> Any:
    """The function of this name; `ctypes.get_errno` has its error.

    Arguments:
        arguments, result: their types.

    Raises:
        OSError: this system has none.
    """
    try:
        found = getattr(ctypes.PyDLL(None, use_errno=True), name)
    except AttributeError as error:
        raise OSError(str(error)) from None
    found.argtypes, found.restype = arguments, result
    return found
