"""Every snapshot, of a real Prometheus and a real Jaeger, as a reader's browser shows it.

Each is opened in Chromium: on a desk, on a phone, in the dark, on paper.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import pytest
from PIL import Image
from playwright.sync_api import Browser, Page

from dashboards import boards
from dashboards.__main__ import main
from dashboards.model import Board
from dashboards.snapshot.browser import browser as chromium
from dashboards.snapshot.errors import SnapshotError
from dashboards.snapshot.picture import drawn
from tests.dashboards import made
from tests.dashboards.backends import Backends, running

pytestmark = [pytest.mark.slow, pytest.mark.stack]

LOOK = (Path(__file__).parent / "look.js").read_text()
DESK, TABLET, PHONE = 1280, 800, 390
PAPER = 718
"""Millimetres of A4 without margins, in CSS's pixels."""
WEEKS = 28 * 86_400

Scheme = Literal["light", "dark"]
every_board = pytest.mark.parametrize("board", boards.ALL, ids=lambda board: board.name)


@pytest.fixture(scope="module")
def backends(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Backends]:
    with running(tmp_path_factory.mktemp("backends")) as started:
        yield started


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    try:
        with chromium() as started:
            yield started
    except SnapshotError as error:
        pytest.fail(str(error))


@pytest.fixture(scope="module")
def pages(backends: Backends, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A snapshot of each dashboard."""
    folder = tmp_path_factory.mktemp("pages")
    start = {"trend": backends.end - WEEKS}
    return {
        board.name: snapshot(
            board.name, backends, start.get(board.name, backends.start), backends.end, folder
        )
        for board in boards.ALL
    }


def snapshot(name: str, backends: Backends, start: int, end: int, folder: Path) -> Path:
    out = folder / f"{name}.html"
    urls = ["--prometheus", backends.prometheus, "--jaeger", backends.jaeger]
    when = ["--from", str(start), "--to", str(end)]
    assert main(["snapshot", name, *urls, *when, "--out", str(out)]) == 0
    return out


@dataclass
class Opened:
    """A page in the browser, and all that it said and asked for."""

    page: Page
    said: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    def look(self, at: str) -> list[str]:
        found: list[str] = self.page.evaluate(f"({LOOK}).{at}()")
        return found

    def texts(self, selector: str) -> list[str]:
        return self.page.locator(selector).all_inner_texts()


@contextmanager
def opened(
    browser: Browser, path: Path, width: int = DESK, scheme: Scheme = "light", **more: Any
) -> Iterator[Opened]:
    context = browser.new_context(
        viewport={"width": width, "height": 900}, color_scheme=scheme, **more
    )
    with context, context.new_page() as page:
        it = Opened(page)
        page.on("console", lambda message: it.said.append(message.text))
        page.on("pageerror", lambda error: it.said.append(str(error)))
        page.on("request", lambda request: it.asked.append(request.url))
        page.goto(path.as_uri())
        drawn(page)
        yield it


@every_board
@pytest.mark.parametrize(("width", "scheme"), [(DESK, "light"), (TABLET, "light"), (PHONE, "dark")])
def test_a_page_is_whole_readable_and_by_itself(
    board: Board, width: int, scheme: Scheme, browser: Browser, pages: dict[str, Path]
) -> None:
    with opened(browser, pages[board.name], width, scheme) as it:
        titles = it.texts("h3")
        assert len(titles) == len(set(titles))
        assert {panel.title for panel in board.panels} <= set(titles)
        assert it.texts(".empty") == []
        ground = it.page.evaluate("getComputedStyle(document.body).backgroundColor")
        assert (ground == "rgb(255, 255, 255)") == (scheme == "light")
        assert it.page.locator(".chart").count() > 0
        for at in ("charts", "ticks", "overflow", "contrast"):
            assert it.look(at) == []
        assert it.said == []
        assert it.asked == [pages[board.name].as_uri()]


@every_board
def test_paper_shows_everything(board: Board, browser: Browser, pages: dict[str, Path]) -> None:
    with opened(browser, pages[board.name], scheme="dark") as it:
        # As a browser prints: the page is laid out anew, and no script hears of it in time.
        it.page.emulate_media(media="print", color_scheme="dark")
        it.page.add_style_tag(content=f"body {{ width: {PAPER}px; }}")
        it.page.evaluate("dispatchEvent(new Event('beforeprint'))")
        assert it.look("charts") == []
        assert it.look("overflow") == []
        assert it.look("contrast") == []
        assert not it.page.locator("button:visible").count()
        assert all(each.is_visible() for each in it.page.locator(".legend tr, tbody tr").all())


def test_what_fires_since_when_the_culprit_and_the_slowest_trace_come_first(
    browser: Browser, pages: dict[str, Path]
) -> None:
    with opened(browser, pages["incident"], PHONE) as it:
        assert it.texts("h3")[:3] == [
            "Which alerts fire, and since when?",
            "Which line of code blocks the event loop?",
            "Which requests were slowest?",
        ]
        alerts, culprits, traces = (it.page.locator(".data").nth(at) for at in range(3))
        alert = alerts.locator("tr:visible").first
        assert alert.locator("td").first.inner_text() == made.ALERTS[0][0]
        assert alert.locator(".bad").inner_text() == "critical"
        assert alert.locator("td").last.inner_text().endswith("for 10 min")
        last = alerts.locator("tr").last
        assert last.locator("td").first.inner_text() == made.OVER[0]
        assert last.locator("td").nth(-2).inner_text() == "over"
        assert made.CULPRIT in culprits.inner_text()
        assert traces.locator("td").last.is_hidden()
        it.page.locator(".data + button").last.click()
        assert traces.locator("a").count() == 10
        assert "/trace/" in (traces.locator("a").first.get_attribute("href") or "")


def test_of_many_services_the_worst_and_the_largest_are_shown(
    browser: Browser, pages: dict[str, Path]
) -> None:
    services = len(made.CROWD) + len(made.SERVICES)
    with opened(browser, pages["incident"], PHONE) as it:
        panel = it.page.locator(".panel", has_text="How much of the budget is left?")
        texts = panel.locator("dd").all_text_contents()
        shares = [float(text.removesuffix(" %")) for text in texts]
        assert len(shares) == 2 * services
        assert shares == sorted(shares)
        assert panel.locator("dd:visible").count() == 6
        panel = it.page.locator(".panel", has_text="Do as many requests come as a week ago?")
        # Half of the lines are last week's, and as many of these as there may be are drawn.
        names = panel.locator(".legend td:nth-child(2)").all_text_contents()
        assert names[:2] == ["orders demo", "payments demo"]
        assert len(names) == 2 + 10
        assert f"{services - 10} smaller ones are left out" in panel.inner_text()


def test_a_diamond_opens_the_trace_of_its_request(
    browser: Browser, backends: Backends, pages: dict[str, Path]
) -> None:
    with opened(browser, pages["incident"]) as it:
        panel = it.page.locator(".panel", has_text="How long do requests take?")
        diamonds = panel.locator(".points path")
        assert diamonds.count() == len(made.ROUTES)
        assert f"the {len(made.ROUTES)} slowest" in panel.locator(".requests").inner_text()
        diamonds.first.scroll_into_view_if_needed()
        box = diamonds.first.bounding_box()
        assert box
        it.page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        panel.locator(".hoverlayer text").first.wait_for()
        with it.page.context.expect_page() as trace:
            it.page.mouse.down()
            it.page.mouse.up()
        assert trace.value.url.startswith(f"{backends.jaeger}/trace/{'0' * 31}")


def test_a_name_is_a_text_whatever_stands_in_it(browser: Browser, pages: dict[str, Path]) -> None:
    with opened(browser, pages["runtime"]) as it:
        assert any(made.HOSTILE in text for text in it.texts(".legend td"))
        assert it.page.locator("img").count() == 0


@every_board
def test_where_nothing_is_known_every_panel_says_so(
    board: Board, browser: Browser, backends: Backends, tmp_path: Path
) -> None:
    before = backends.start - 2 * WEEKS
    path = snapshot(board.name, backends, before - 1800, before, tmp_path)
    with opened(browser, path, PHONE) as it:
        assert len(it.texts(".empty")) == len(it.texts("h3")) > 2
        assert all(it.texts(".empty"))
        assert it.said == []
        assert it.look("overflow") == []


def test_a_picture_is_of_the_part_that_is_asked_for(pages: dict[str, Path], tmp_path: Path) -> None:
    below = picture(pages["incident"], tmp_path, "--dark", "--begin", "Since when?")
    assert (below.width, below.format, below.mode) == (PHONE, "PNG", "P")
    above = picture(pages["incident"], tmp_path, "--until", "Since when?")
    assert above.height + below.height == picture(pages["incident"], tmp_path).height


def test_a_picture_of_no_part_is_refused(pages: dict[str, Path], tmp_path: Path) -> None:
    with pytest.raises(subprocess.CalledProcessError) as refused:
        picture(pages["incident"], tmp_path, "--begin", "Since then?")
    assert refused.value.stderr.startswith("error: --begin: must be one of At a glance, ")


def picture(page: Path, folder: Path, *part: str) -> Image.Image:
    out = folder / "part.png"
    # playwright drives one browser at a time in a thread.
    subprocess.run(
        [
            *(sys.executable, "-m", "dashboards", "picture", str(page), "--out", str(out)),
            *("--width", str(PHONE), *part),
        ],
        check=True,
        capture_output=True,
        text=True,
        timeout=120,
    )
    taken = Image.open(out)
    taken.load()
    return taken


def test_without_a_script_the_page_says_what_is_missing(
    browser: Browser, pages: dict[str, Path]
) -> None:
    with browser.new_context(java_script_enabled=False) as context:
        page = context.new_page()
        page.goto(pages["incident"].as_uri())
        assert "switched off" in page.locator("noscript").inner_text()
