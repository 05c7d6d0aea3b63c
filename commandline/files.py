"""Whether a file can be written, asked before the work whose result it is to hold."""

from __future__ import annotations

import errno
import os
from pathlib import Path


def demand_writable(path: Path) -> None:
    """Raise an OSError where a file can't be written, or can't be made together with its folders.

    Nothing is made or changed. What only the attempt shows, such as a full disk, stays unknown.
    """
    if path.is_dir():
        raise _error(errno.EISDIR, path)
    there = nearest(path)
    if there != path and not there.is_dir():
        raise _error(errno.ENOTDIR, there)
    if not os.access(there, os.W_OK):
        raise _error(errno.EACCES, there)


def nearest(path: Path) -> Path:
    """Return the path, or the nearest folder above it that exists."""
    # Unlike Path.exists, this is no error below a folder that may not be read.
    return next(each for each in (path, *path.absolute().parents) if os.path.lexists(each))


def _error(number: int, path: Path) -> OSError:
    return OSError(number, os.strerror(number), str(path))
