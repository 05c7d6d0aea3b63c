"""What may be silent in a live dashboard is listed, and must speak at some time."""

from __future__ import annotations

import pytest

from dashboards import boards
from tests.dashboards.exposed import UNTIL_LOST, in_the_collector
from tests.dashboards.quiet import QUIET
from tests.dashboards.rehearsal import WINDOWS


def test_whatever_may_be_silent_is_known_to_speak() -> None:
    every = {
        (panel.title, query.legend)
        for board in boards.ALL
        for panel in board.panels
        for query in panel.queries
    }
    for quiet in QUIET:
        assert any(quiet.title == title and quiet.legend in legend for title, legend in every)
        assert quiet.speaks
        assert set(quiet.speaks) <= set(WINDOWS)
        assert len(quiet.speaks) < len(WINDOWS)


@pytest.mark.stack
def test_what_only_a_loss_would_expose_is_known_to_the_collector() -> None:
    for name in UNTIL_LOST:
        assert in_the_collector(name)
        assert not in_the_collector(f"{name}_of_nobody")
