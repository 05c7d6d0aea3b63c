"""Which code is the application's own, and not a library's."""

from __future__ import annotations

import sysconfig
from collections.abc import Iterable
from types import CodeType
from typing import Any, Final

_STANDARD: Final = tuple(
    {sysconfig.get_path(name) + "/" for name in ("stdlib", "platstdlib")} - {"/"}
)
_INSTALLED: Final = ("/site-packages/", "/dist-packages/")
_US: Final = __name__.partition(".")[0]
_FRAMEWORKS: Final = frozenset(("fastapi", "starlette", "builtins", _US))

_known: dict[str, bool] = {}


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

    That is what lies outside of the standard library and of the installed packages, and what is
    of one of the application's own packages, wherever these are: an image often has the
    application installed like any library.

    Arguments:
        code: the code of a function.
        module: the module that it is in.
        packages: names of the application's own top-level packages.
    """
    file = code.co_filename
    known = _known.get(file)
    if known is None:
        known = _known[file] = _is_own(file, module.partition(".")[0], packages)
    return known


def _is_own(file: str, package: str, packages: frozenset[str]) -> bool:
    if package == _US:
        return False
    if package in packages:
        return True
    path = file.replace("\\", "/")
    installed = path.startswith((*_STANDARD, "<frozen ")) or any(at in path for at in _INSTALLED)
    return not installed
