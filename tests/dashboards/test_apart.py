"""A snapshot for somebody who can't wait: a line about it in any case, and never an exception."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from dashboards.snapshot import apart


@pytest.fixture
def silent() -> Iterator[str]:
    """A server that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}"


def draw(url: str, out: Path, seconds: float = apart.SECONDS) -> str:
    return apart.draw(
        "incident",
        prometheus=url,
        jaeger=url,
        start=1_000_000,
        scrape=15,
        given={"job": "orders"},
        out=out,
        seconds=seconds,
    )


def test_a_dead_prometheus_is_told_in_a_line_and_leaves_no_older_page(tmp_path: Path) -> None:
    out = tmp_path / "new" / "report.html"
    out.parent.mkdir()
    out.write_text("of yesterday")
    said = draw("http://127.0.0.1:9", out)
    assert said.startswith("no snapshot: Prometheus at http://127.0.0.1:9 does not answer: ")
    assert "\n" not in said
    assert not out.exists()


def test_one_that_never_answers_is_given_up(tmp_path: Path, silent: str) -> None:
    assert draw(silent, tmp_path / "a.html", 2) == "no snapshot: it was not drawn within 2 s"
    children = [child.cmdline() for child in psutil.Process().children()]
    assert not [command for command in children if silent in command]


def test_a_place_that_can_not_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    said = draw("http://127.0.0.1:9", tmp_path / "file" / "report.html")
    assert said.startswith("no snapshot: ")
    assert str(tmp_path / "file") in said
