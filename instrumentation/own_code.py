"""Which code is the application's own, and not a library's."""

from __future__ import annotations

import os
import sysconfig
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path
from types import CodeType
from typing import Any, Final

_PATHS: Final = [sysconfig.get_path(name) for name in ("stdlib", "platstdlib")]
_STANDARD: Final = tuple(
    {each + os.sep for path in _PATHS for each in (path, os.path.realpath(path))}
)
_INSTALLED: Final = ("site-packages", "dist-packages")
_OURS: Final = str(Path(__file__).parent) + os.sep
_US: Final = __name__.partition(".")[0]
_FRAMEWORKS: Final = frozenset(("fastapi", "starlette", "builtins", _US))


def packages(caller: str, endpoints: Iterable[Any]) -> frozenset[str]:
    """Names of the application's own top-level packages.

    Arguments:
        caller: the module that instruments the application.
        endpoints: the application's.
    """
    modules = {caller, *(str(getattr(each, "__module__", "")) for each in endpoints)}
    return frozenset(module.partition(".")[0] for module in modules) - _FRAMEWORKS - {""}


def is_own(code: CodeType, module: str, packages: frozenset[str]) -> bool:
    """Whether `code` belongs to the application.

    That is what lies in a user's file, and what is of one of the application's own packages,
    wherever these are: an image often has the application installed like any library.

    Arguments:
        code: the code of a function.
        module: the module that it is in.
        packages: names of the application's own top-level packages.
    """
    top = module.partition(".")[0]
    return top != _US and (top in packages or is_users(code.co_filename))


@lru_cache(maxsize=4096)
def is_users(file: str) -> bool:
    """Whether a file is a user's: neither installed, nor Python's, nor ours."""
    if file.startswith(("<frozen ", _OURS, *_STANDARD)):
        return False
    return not any(place in Path(file).parts for place in _INSTALLED)


def is_ours(file: str) -> bool:
    """Whether a file is of this library."""
    return file.startswith(_OURS)


@lru_cache(maxsize=4096)
def installed_package(file: str) -> str:
    """The installed package that a file belongs to; empty for all others."""
    parts = Path(file).parts
    for place in _INSTALLED:
        if place in parts[:-1]:
            return parts[parts.index(place) + 1].removesuffix(".py")
    return ""
