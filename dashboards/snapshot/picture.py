"""Takes a picture of a snapshot's page, for documents that show no HTML."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Final, cast

from commandline.arguments import file_to_write, whole
from dashboards.snapshot.browser import browser

if TYPE_CHECKING:
    import argparse

    from playwright.sync_api import Page

DESK: Final = 1280
_HEIGHT: Final = 900
_ABOVE: Final = 12
"""Pixels between a heading and the edge of a picture."""
_COLOURS: Final = 160
"""A page has few; with a palette of them a picture is a quarter as large."""


def add(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument("page", type=Path, help="a snapshot")
    parser.add_argument("--out", type=file_to_write, required=True, metavar="FILE.png")
    parser.add_argument(
        "--width", type=whole(), default=DESK, metavar="PIXELS", help="(default: %(default)s)"
    )
    parser.add_argument("--dark", action="store_true", help="as who prefers it dark sees it")
    parser.add_argument("--begin", default="", metavar="HEADING", help="leave out what is above")
    parser.add_argument("--until", default="", metavar="HEADING", help="leave out what follows")


def run(arguments: argparse.Namespace) -> None:
    """Take it. Raises ValueError for a wrong argument, SnapshotError without a browser."""
    if not arguments.page.is_file():
        raise ValueError(f"page: must be a snapshot's file, not {arguments.page}")
    with browser() as started:
        page = started.new_page(
            viewport={"width": arguments.width, "height": _HEIGHT},
            color_scheme="dark" if arguments.dark else "light",
        )
        page.goto(arguments.page.absolute().as_uri())
        drawn(page)
        top = _top(page, "--begin", arguments.begin) if arguments.begin else 0
        end = _top(page, "--until", arguments.until) if arguments.until else _height(page)
        if end <= top:
            raise ValueError(f"--until: must come after {arguments.begin}, not {arguments.until}")
        shot = page.screenshot(
            full_page=True, clip={"x": 0, "y": top, "width": arguments.width, "height": end - top}
        )
    _save(shot, arguments.out)


def _save(shot: bytes, out: Path) -> None:
    """Write it with the palette of its most frequent colours, which stay what they are."""
    # Whoever only draws pages needs none.
    from PIL import Image

    image = Image.open(BytesIO(shot)).convert("RGB")
    pixels = image.getcolors(image.width * image.height) or []
    by_frequency = sorted(pixels, key=lambda each: -each[0])
    frequent = [cast("tuple[int, int, int]", colour) for _, colour in by_frequency[:_COLOURS]]
    palette = Image.new("P", (1, 1))
    palette.putpalette([part for colour in frequent for part in colour])
    image.quantize(palette=palette, dither=Image.Dither.NONE).save(out, "PNG", optimize=True)


def drawn(page: Page) -> None:
    """Wait until each chart of a page is drawn."""
    page.wait_for_function(
        "[...document.querySelectorAll('.chart')].every((chart) => chart._fullLayout)"
    )


def _height(page: Page) -> float:
    return float(page.evaluate("document.documentElement.scrollHeight"))


def _top(page: Page, argument: str, heading: str) -> float:
    headings = page.locator("h2")
    texts = headings.all_inner_texts()
    if heading not in texts:
        raise ValueError(f"{argument}: must be one of {', '.join(texts)}, not {heading}")
    box = headings.nth(texts.index(heading)).bounding_box()
    return box["y"] - _ABOVE if box else 0
