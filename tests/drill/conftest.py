"""What the tests that run a whole drill share."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture
def temporary(tmp_path: Path) -> Path:
    """A folder for temporary data."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    return folder
