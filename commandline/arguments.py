"""Types for argparse. A value that can't be meant is refused with the rule and the value."""

from __future__ import annotations

import math
import re
from argparse import ArgumentTypeError
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from commandline.errors import sentence
from commandline.files import demand_writable, nearest

if TYPE_CHECKING:
    from collections.abc import Callable

_NO_ADDRESS: Final = re.compile(r"[\s\"'<>\\{}?#]")
_DNS_LABEL: Final = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
_NAME: Final = r"[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?"
_LABEL: Final = re.compile(rf"(([a-z0-9][a-z0-9.-]*/)?{_NAME})=({_NAME})")


def whole(least: int = 1) -> Callable[[str], int]:
    """Return a type for whole numbers from `least` on."""

    def read(text: str) -> int:
        # The largest that any of the commands could mean has far fewer digits.
        if not re.fullmatch(r"[0-9]{1,12}", text) or int(text) < least:
            raise ArgumentTypeError(f"must be a whole number from {least} on, not {text!r}")
        return int(text)

    return read


def seconds(text: str) -> float:
    """Read a time above 0."""
    try:
        number = float(text)
    except ValueError:
        number = 0
    if not 0 < number < math.inf:
        raise ArgumentTypeError(f"must be a number of seconds above 0, not {text!r}")
    return number


def address(text: str) -> str:
    """Read an absolute address; a slash at its end is left out, since paths are put behind it."""
    if not _is_address(text):
        raise ArgumentTypeError(f"must be an address such as https://host/path, not {text!r}")
    return text.rstrip("/")


def _is_address(text: str) -> bool:
    try:
        parts = urlsplit(text)
        usable = parts.hostname and parts.port != 0
    except ValueError:  # a port beyond the last, or half an IPv6 address
        return False
    return bool(parts.scheme in ("http", "https") and usable and not _NO_ADDRESS.search(text))


def namespace(text: str) -> str:
    """Read the name of a Kubernetes namespace."""
    if not _DNS_LABEL.fullmatch(text):
        raise ArgumentTypeError(
            f"must be at most 63 lower-case letters, digits and - between them, not {text!r}"
        )
    return text


def label(text: str) -> tuple[str, str]:
    """Read the name and the value of a Kubernetes label."""
    found = _LABEL.fullmatch(text)
    if not found:
        raise ArgumentTypeError(
            f"must be NAME=VALUE, both of letters, digits, -, _ and ., not {text!r}"
        )
    name, _, value = text.partition("=")
    return name, value


def folder(text: str) -> Path:
    """Read the path of a folder that is there or can be made."""
    path = Path(text)
    there = nearest(path)
    if not there.is_dir():
        raise ArgumentTypeError(f"{there} is no folder")
    return path


def file_to_write(text: str) -> Path:
    """Read the path of a file that is written at the end, which is found out now."""
    path = Path(text)
    try:
        demand_writable(path)
    except OSError as error:
        raise ArgumentTypeError(sentence(error)) from None
    return path
