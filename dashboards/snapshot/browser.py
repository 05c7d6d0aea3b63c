"""A browser without a window: Chromium as the system has it, driven by playwright."""

from __future__ import annotations

import os
import shutil
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from dashboards.snapshot.errors import SnapshotError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser

_VARIABLE: Final = "CHROMIUM"
_NAMES: Final = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


@contextmanager
def browser() -> Iterator[Browser]:
    """Start it; the end of the context stops it. Raises SnapshotError where there is none."""
    # Whoever only draws pages needs neither.
    from playwright.sync_api import sync_playwright

    path = executable()
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=path)
        try:
            yield started
        finally:
            started.close()


def executable() -> str:
    """Return Chromium's path: what CHROMIUM names, or what is installed."""
    named = os.environ.get(_VARIABLE)
    found = shutil.which(named) if named else next(filter(None, map(shutil.which, _NAMES)), None)
    if found is None:
        missing = f"{named}, which {_VARIABLE} names," if named else "Chromium"
        raise SnapshotError(
            f"{missing} is not there: install it (Debian: apt-get install chromium), or name "
            f"another one in {_VARIABLE}"
        )
    return found
