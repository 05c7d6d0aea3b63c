"""What every test shares."""

from __future__ import annotations

import pytest

pytest_plugins = ["tests.conformance.plugin"]


@pytest.fixture
def anyio_backend() -> str:
    """Asynchronous tests run on asyncio, the loop that uvicorn has."""
    return "asyncio"
