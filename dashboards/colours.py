"""Colours, the same on every dashboard and on white and black."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from dashboards.model import Role

GOOD: Final = "#3a9e5c"
BAD: Final = "#d64550"

ROLES: Final[dict[Role, str]] = {
    "requests": "#3d7fd9",
    "errors": BAD,
    "median": "#5b9bd5",
    "p95": "#e0a030",
    "tail": "#b0569f",
    "past": "#8c8c8c",
    "used": "#3d7fd9",
    "limit": BAD,
    "waiting": "#e0762f",
    "budget": GOOD,
}

SERIES: Final = (
    "#3d7fd9", "#e0a030", "#3a9e5c", "#b0569f", "#2aa5a0", "#e0762f", "#7a6fd0", "#8c8c8c",
)  # fmt: skip
"""One line after another where lines differ by their labels alone; none is BAD."""
