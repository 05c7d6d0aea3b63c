"""Pages of which a command writes one part anew, between two marks."""

from __future__ import annotations


def around(page: str, begin: str, end: str) -> tuple[str, str]:
    """Return what stands before and after that part, the marks included.

    Raises ValueError where the marks are missing.
    """
    before, found, rest = page.partition(begin)
    _, closed, after = rest.partition(end)
    if not (found and closed):
        raise ValueError(f"--write: the page must hold {begin} and, after it, {end}")
    return before + found, closed + after
