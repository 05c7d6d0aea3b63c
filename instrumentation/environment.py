"""Readers of environment variables: each returns the value or says what is wrong with it.

A reader takes the variable's name, for the complaint, and its text, which is never empty.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from urllib.parse import unquote, urlsplit

Environ = Mapping[str, str]

LARGEST_PORT = 65535

_HIDDEN = "a value that is not shown"
# What the SDK takes for a header, and what of it can be sent once it is decoded.
_HEADER = re.compile(r"[!#-'*+.0-9A-Z^-z|~-]+\s*=[ !#-+:<-\[\]-~./0-9-]*")
_HEADER_NAME = re.compile(r"[\w!#$%&'*+.^`|~-]+", re.ASCII)
_HEADER_VALUE = re.compile(r"[\t -~\x80-\xff]*")


def wrong(name: str, rule: str, value: object) -> ValueError:
    """The one form of every complaint: the variable, the rule, the value."""
    return ValueError(f"{name} must be {rule}, got {value!r}")


def boolean(name: str, value: str) -> bool:
    """`true` or `false`, in any case."""
    if value.lower() not in ("true", "false", "1", "0"):
        raise wrong(name, "true or false", value)
    return value.lower() in ("true", "1")


def choice(name: str, value: str, *, allowed: Collection[str]) -> str:
    """One of `allowed`, in any case."""
    if value.lower() not in allowed:
        raise wrong(name, "one of " + ", ".join(sorted(allowed)), value)
    return value.lower()


def number(name: str, value: str, *, low: float, high: float) -> float:
    """A number from `low` to `high`, both included."""
    try:
        parsed = float(value)
    except ValueError:
        parsed = float("nan")
    if not low <= parsed <= high:
        raise wrong(name, f"a number from {low:g} to {high:g}", value)
    return parsed


def duration(name: str, value: str, *, low: float, high: float) -> float:
    """Seconds from a duration: `50ms`, `0.05s`, or a bare number of milliseconds; or 0.

    OpenTelemetry's variables are in milliseconds where they name no unit.
    """
    found = re.fullmatch(r"(\d+\.?\d*)\s*(ms|s)?", value)
    seconds = float(found[1]) / (1 if found[2] == "s" else 1000) if found else -1.0
    if seconds != 0 and not low <= seconds <= high:
        rule = f"0, or a duration from {low * 1000:g}ms to {high:g}s such as 50ms or 0.05s"
        raise wrong(name, rule, value)
    return seconds


def integer(name: str, value: str, *, low: int = 1) -> int:
    """A whole number of at least `low`."""
    if not re.fullmatch(r"\d{1,15}", value) or int(value) < low:
        raise wrong(name, f"a whole number of at least {low}", value)
    return int(value)


def milliseconds(name: str, value: str, *, high: int) -> float:
    """Seconds from a whole number of milliseconds, of at most `high` seconds."""
    if not re.fullmatch(r"\d{1,15}", value) or not 1 <= int(value) <= high * 1000:
        raise wrong(name, f"a whole number of milliseconds from 1 to {high * 1000}", value)
    return int(value) / 1000


def port(name: str, value: str) -> int:
    """A port; 0 takes a free one."""
    if not re.fullmatch(r"\d{1,5}", value) or int(value) > LARGEST_PORT:
        raise wrong(name, f"a port from 0 to {LARGEST_PORT}", value)
    return int(value)


def path(name: str, value: str) -> str:
    """A path of a URL, as a server hands it over: any other one would never be asked for."""
    usable = re.fullmatch(r"(/(?!\.{1,2}(/|$))[\w.~!$&'()*+,;=:@-]+)+/?", value, re.ASCII)
    if not usable:
        rule = "a path that starts with /, such as /metrics, of a URL's plain characters"
        raise wrong(name, rule, value)
    return value


def url(name: str, value: str) -> str:
    """An http or https address."""
    try:
        parts = urlsplit(value)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
        usable = usable and not re.search(r"\s", value)
    except ValueError:
        usable = False
    if not usable:
        raise wrong(name, "an http:// or https:// address", value)
    return value


def pairs(name: str, value: str, *, secret: bool = False) -> tuple[tuple[str, str], ...]:
    """Comma-separated `key=value` pairs with percent-encoded values, sorted by key.

    A complaint about a `secret` doesn't repeat it.
    """
    found = {}
    for item in items(name, value):
        key, separator, text = item.partition("=")
        if not separator or not key.strip():
            raise wrong(name, "comma-separated key=value pairs", _HIDDEN if secret else value)
        found[key.strip()] = unquote(text.strip())
    return tuple(sorted(found.items()))


def headers(name: str, value: str) -> tuple[tuple[str, str], ...]:
    """Pairs that can be sent as headers; a complaint repeats none of them."""
    found = pairs(name, value, secret=True)
    known = all(map(_HEADER.fullmatch, items(name, value)))
    if not known or not all(
        _HEADER_NAME.fullmatch(unquote(key)) and _HEADER_VALUE.fullmatch(text)
        for key, text in found
    ):
        rule = "comma-separated key=value pairs that can be sent as headers, percent-encoded"
        raise wrong(name, rule, _HIDDEN)
    return found


def items(name: str, value: str) -> tuple[str, ...]:
    """A comma-separated list."""
    return tuple(filter(None, map(str.strip, value.split(","))))


def patterns(name: str, value: str) -> tuple[str, ...]:
    """Comma-separated regular expressions."""
    found = items(name, value)
    for pattern in found:
        try:
            re.compile(pattern)
        except re.error as error:
            raise wrong(name, f"regular expressions ({error})", pattern) from None
    return found
