"""How to install what a part needs."""

from __future__ import annotations


def remedy(extra: str) -> str:
    """The command for an extra; from a clone, because no release is on a package index yet."""
    return f"pip install './fastapi-observability-bundle[{extra}]' (the path of a clone)"
