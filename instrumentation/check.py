"""Checks of a setting that is given as an argument: each names it, the rule and the value."""

from __future__ import annotations

import re
from typing import Any

from instrumentation.environment import wrong


def number(name: str, value: Any, *, low: float, high: float) -> None:
    """A number from `low` to `high`, both included."""
    known = isinstance(value, int | float) and not isinstance(value, bool)
    if not known or not low <= value <= high:
        raise wrong(name, f"a number from {low:g} to {high:g}", value)


def whole(name: str, value: Any) -> None:
    """A whole number of at least 1."""
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise wrong(name, "a whole number of at least 1", value)


def patterns(name: str, value: Any) -> None:
    """A tuple of regular expressions; of one string, every letter would be an expression."""
    if not isinstance(value, tuple | list) or not all(isinstance(item, str) for item in value):
        raise wrong(name, "a tuple of regular expressions", value)
    for pattern in value:
        try:
            re.compile(pattern)
        except re.error as error:
            raise wrong(name, f"regular expressions ({error})", pattern) from None


def resource(name: str, value: Any) -> None:
    """Pairs of an attribute and its value."""
    try:
        keys = dict(value).keys()
    except (TypeError, ValueError):
        raise wrong(name, "a tuple of (name, value) pairs", value) from None
    if not all(isinstance(key, str) for key in keys):
        raise wrong(name, "a tuple of (name, value) pairs", value)
