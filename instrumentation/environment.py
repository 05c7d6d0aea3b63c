"""Readers for environment variables: each returns the value or says what is wrong with it."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from urllib.parse import unquote, urlsplit

Environ = Mapping[str, str]


def wrong(name: str, rule: str, value: object) -> ValueError:
    """The one form of every complaint: the variable, the rule, the value."""
    return ValueError(f"{name} must be {rule}, got {value!r}")


def text(environ: Environ, name: str, default: str) -> str:
    """The value of `name`; unset and empty mean the default, as OpenTelemetry asks."""
    return environ.get(name, "").strip() or default


def boolean(environ: Environ, name: str, default: bool) -> bool:
    """`true` or `false`, in any case."""
    value = text(environ, name, str(default)).lower()
    if value not in ("true", "false", "1", "0"):
        raise wrong(name, "true or false", environ[name])
    return value in ("true", "1")


def choice(environ: Environ, name: str, default: str, allowed: Collection[str]) -> str:
    """One of `allowed`, in any case."""
    value = text(environ, name, default).lower()
    if value not in allowed:
        raise wrong(name, "one of " + ", ".join(sorted(allowed)), environ[name])
    return value


def number(environ: Environ, name: str, default: float, *, low: float, high: float) -> float:
    """A number from `low` to `high`, both included."""
    value = text(environ, name, "")
    if not value:
        return default
    try:
        parsed = float(value)
    except ValueError:
        parsed = float("nan")
    if not low <= parsed <= high:
        raise wrong(name, f"a number from {low:g} to {high:g}", value)
    return parsed


def integer(environ: Environ, name: str, default: int, *, low: int = 1) -> int:
    """A whole number of at least `low`."""
    value = text(environ, name, "")
    if not value:
        return default
    if not re.fullmatch(r"\d{1,15}", value) or int(value) < low:
        raise wrong(name, f"a whole number of at least {low}", value)
    return int(value)


def url(environ: Environ, name: str) -> str | None:
    """An http or https address, or None where the variable is unset."""
    value = text(environ, name, "")
    if not value:
        return None
    try:
        parts = urlsplit(value)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable:
        raise wrong(name, "an http:// or https:// address", value)
    return value


def pairs(environ: Environ, name: str, *, secret: bool = False) -> tuple[tuple[str, str], ...]:
    """Comma-separated `key=value` pairs with percent-encoded values, sorted by key.

    A complaint about a `secret` doesn't repeat it.
    """
    found = {}
    for item in filter(None, map(str.strip, text(environ, name, "").split(","))):
        key, separator, value = item.partition("=")
        if not separator or not key.strip():
            shown = "a value that is not shown" if secret else environ[name]
            raise wrong(name, "comma-separated key=value pairs", shown)
        found[key.strip()] = unquote(value.strip())
    return tuple(sorted(found.items()))


def patterns(environ: Environ, name: str) -> tuple[str, ...] | None:
    """Comma-separated regular expressions, or None where the variable is unset."""
    if name not in environ:
        return None
    found = tuple(filter(None, map(str.strip, environ[name].split(","))))
    for pattern in found:
        try:
            re.compile(pattern)
        except re.error as error:
            raise wrong(name, f"regular expressions ({error})", pattern) from None
    return found
