"""The page about the dashboards sends a reader to panels that exist."""

from __future__ import annotations

import re

from tests.dashboards.prices import PAGE
from tests.dashboards.reading import BOARDS


def test_each_panel_that_the_page_sends_to_is_on_incident() -> None:
    rows = [
        line for line in PAGE.read_text().splitlines() if re.match(r"\| .*\?[^|]*\| .*\*", line)
    ]
    titles = {panel.title for panel in BOARDS["incident"].panels}
    told = {title for row in rows for title in re.findall(r"\*([^*]+\?)\*", row)}
    assert len(rows) == 9
    assert told <= titles
    # The rest stands beside one that is named.
    assert len(titles - told) <= 2
