"""Colours, the same on every dashboard, and a contrast of 3 to white and to black behind them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from dashboards.model import Role

GOOD: Final = "#3a9e5c"
BAD: Final = "#d64550"

ROLES: Final[dict[Role, str]] = {
    "requests": "#3d7fd9",
    "errors": BAD,
    "median": "#2f93c9",
    "p95": "#b98500",
    "tail": "#b0569f",
    "past": "#8c8c8c",
    "used": "#3d7fd9",
    "limit": BAD,
    "waiting": "#c8661f",
    "budget": GOOD,
}

EXEMPLAR: Final = "#1f9590"

SERIES: Final = (
    "#3d7fd9", "#b98500", "#3a9e5c", "#b0569f", "#1f9590", "#c8661f", "#7a6fd0", "#8c8c8c",
)  # fmt: skip
"""One line after another where lines differ by their labels alone; none is BAD."""
