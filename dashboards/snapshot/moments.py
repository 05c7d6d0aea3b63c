"""Reads the times that a person gives: `now`, `now-30m`, ISO 8601 or Unix seconds."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Final

_SECONDS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
_LENGTHS: Final = ((86_400, "days"), (3600, "h"), (60, "min"), (1, "s"))


def moment(text: str, now: float, argument: str = "time") -> float:
    """Return Unix seconds. Raises ValueError, naming the argument, for what is no time."""
    ago = re.fullmatch(r"now(?:-(\d+)([smhdw]))?", text)
    if ago:
        return now - int(ago[1] or 0) * _SECONDS.get(ago[2] or "s", 0)
    if re.fullmatch(r"\d+(\.\d+)?", text):
        return float(text)
    try:
        read = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(
            f"{argument}: must be now, now-30m, 2026-01-31T12:00 (UTC) or Unix seconds, not {text}"
        ) from None
    return (read if read.tzinfo else read.replace(tzinfo=UTC)).timestamp()


def shown(seconds: float) -> str:
    """Spell a time for people."""
    return f"{_utc(seconds):%Y-%m-%d %H:%M:%S} UTC"


def clock(seconds: float) -> str:
    """Spell a time of a day that is known."""
    return f"{_utc(seconds):%H:%M:%S}"


def span(start: float, end: float) -> str:
    """Spell a range for people, its length too."""
    same = _utc(start).date() == _utc(end).date()
    until = f"{_utc(end):%H:%M:%S} UTC" if same else shown(end)
    return f"{_utc(start):%Y-%m-%d %H:%M:%S} to {until} ({length(end - start)})"


def since(start: float, end: float) -> str:
    """Spell when something began that goes on at the end, and how long that is."""
    same = _utc(start).date() == _utc(end).date()
    began = f"{_utc(start):%H:%M:%S}" if same else f"{_utc(start):%Y-%m-%d %H:%M}"
    return f"{began}, for {length(end - start)}"


def length(seconds: float) -> str:
    """Spell a duration in the unit that people would use: `10 min`, `2 days`."""
    unit, name = next((u, n) for u, n in _LENGTHS if abs(seconds) >= 2 * u or u == 1)
    return f"{seconds / unit:.0f} {name}"


def _utc(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
