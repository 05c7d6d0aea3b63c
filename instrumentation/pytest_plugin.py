"""`pytest --fail-on-blocking`: a test that blocks the event loop fails, and names the line.

pytest loads this module in every run, so it imports nothing before the option asks for it.
"""

from __future__ import annotations

import pytest

_OPTION = "--fail-on-blocking"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option."""
    parser.getgroup("instrumentation").addoption(
        _OPTION,
        action="store_true",
        help="fail tests that hold an event loop longer than INSTRUMENTATION_BLOCKING_THRESHOLD "
        "(50ms), and name the line",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Make the mark known, and watch event loops if the option is given."""
    config.addinivalue_line(
        "markers", f"may_block: the test may block the event loop ({_OPTION} lets it pass)"
    )
    if config.getoption(_OPTION):
        from instrumentation.testing import FailOnBlocking

        try:
            plugin = FailOnBlocking()
        except ValueError as error:
            raise pytest.UsageError(f"{_OPTION}: {error}") from None
        config.pluginmanager.register(plugin, "instrumentation-fail-on-blocking")
