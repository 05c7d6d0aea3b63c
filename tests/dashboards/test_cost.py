"""What dashboards cost is in the docs, of the dashboards as they are."""

from __future__ import annotations

from pathlib import Path

import pytest

from dashboards import boards, cost
from dashboards.__main__ import main
from tests.dashboards.prices import PAGE, prices


def test_the_page_tells_the_cost_of_the_dashboards_as_they_are() -> None:
    """If it does not: `make demo`, and beside it `make dashboard-cost`."""
    told = {title: price.queries for title, price in prices(_table(PAGE.read_text())).items()}
    assert told == {
        board.title: sum(len(panel.queries) for panel in board.panels) + bool(board.releases)
        for board in boards.ALL
    }


def test_a_table_takes_the_place_of_the_one_before() -> None:
    page = f"before\n{cost.BEGIN}\nold\n{cost.END}\nafter\n"
    new = cost.replaced(page, "new")
    assert new == f"before\n{cost.BEGIN}\nnew\n{cost.END}\nafter\n"
    assert cost.replaced(new, "new") == new


@pytest.mark.parametrize("text", ["", cost.BEGIN, f"{cost.END}{cost.BEGIN}"])
def test_a_page_without_a_place_for_it_is_refused_before_anything_is_asked(
    text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "page.md"
    page.write_text(text)
    assert main(["cost", "--prometheus", "http://127.0.0.1:9", "--write", str(page)]) == 1
    assert capsys.readouterr().err.startswith("error: --write: the page must hold ")
    assert page.read_text() == text


def test_a_prometheus_that_does_not_answer_is_told_in_a_sentence(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["cost", "--prometheus", "http://127.0.0.1:9"]) == 1
    assert capsys.readouterr().err.startswith("error: Prometheus at http://127.0.0.1:9: ")


def _table(page: str) -> str:
    return page.partition(cost.BEGIN)[2].partition(cost.END)[0]
