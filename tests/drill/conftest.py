"""What the tests that run a whole drill share."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture
def temporary() -> Iterator[Path]:
    """A folder for temporary data. pytest's own has a path too long for a Unix socket in it."""
    with tempfile.TemporaryDirectory(prefix="drills-") as folder:
        yield Path(folder)
