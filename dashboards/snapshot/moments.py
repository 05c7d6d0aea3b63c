"""Reads the times that a person gives: `now`, `now-30m`, ISO 8601 or Unix seconds."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Final

_SECONDS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}


def moment(text: str, now: float) -> float:
    """Return Unix seconds. Raises ValueError for what is no time."""
    ago = re.fullmatch(r"now(?:-(\d+)([smhdw]))?", text)
    if ago:
        return now - int(ago[1] or 0) * _SECONDS.get(ago[2] or "s", 0)
    if re.fullmatch(r"\d+(\.\d+)?", text):
        return float(text)
    try:
        read = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(
            f"time: must be now, now-30m, 2026-01-31T12:00 (UTC) or Unix seconds, not {text}"
        ) from None
    return (read if read.tzinfo else read.replace(tzinfo=UTC)).timestamp()


def shown(seconds: float) -> str:
    """Spell a time for people."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
