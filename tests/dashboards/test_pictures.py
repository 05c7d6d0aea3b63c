"""The pictures in the docs are those that `make pictures` takes, and small."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.dashboards.pictures import FOLDER, PICTURES, Picture
from tests.dashboards.reading import BOARDS

LARGEST_BYTES = 150_000
FIRST = "At a glance"


def test_every_picture_is_taken_and_shown() -> None:
    page = Path("docs/dashboards.md").read_text()
    assert {path.stem for path in FOLDER.iterdir()} == {picture.name for picture in PICTURES}
    assert all(f"(pictures/{picture.name}.png)" in page for picture in PICTURES)
    assert "(docs/pictures/incident.png)" in Path("README.md").read_text()


@pytest.mark.parametrize("picture", PICTURES, ids=lambda picture: picture.name)
def test_a_picture_is_small(picture: Picture) -> None:
    assert 10_000 < (FOLDER / f"{picture.name}.png").stat().st_size < LARGEST_BYTES


@pytest.mark.parametrize("picture", PICTURES, ids=lambda picture: picture.name)
def test_a_picture_begins_and_ends_at_a_heading(picture: Picture) -> None:
    headings = [FIRST, *(row.title for row in BOARDS[picture.board].rows)]
    begin = headings.index(picture.begin) if picture.begin else 0
    until = headings.index(picture.until) if picture.until else len(headings)
    assert begin < until
