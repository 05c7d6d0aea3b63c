"""One row of the drill, from the fault to the resolved message, on the real backends."""

import re
from pathlib import Path

import pytest

from tests.drill.running import drill
from tests.stack.running import left_behind

pytestmark = [pytest.mark.stack, pytest.mark.timeout(280)]

ROW = re.compile(
    r"^errors +some requests raise +(\d+) s +trace ([0-9a-f]{32}) +(\d+) s$", re.MULTILINE
)


def test_errors_are_paged_traced_and_resolved(tmp_path: Path, temporary: Path) -> None:
    report = tmp_path / "report.html"
    arguments = ("--rows", "errors", "--healthy-seconds", "15", "--report", str(report))
    with drill(tmp_path / "drill.log", *arguments, temporary=temporary) as running:
        status = running.process.wait(timeout=270)
        assert status == 0, running.said
        assert ROW.search(running.said), running.said
        assert re.search(r"culprit: trace .*StockLedgerError", running.said), running.said
        assert f"snapshot of the incident dashboard: {report}\n" in running.said
    body = report.read_text().partition("<body>")[2].replace("<wbr>", "")
    assert "HighErrorRatio" in body
    assert "/trace/" in body
    assert not left_behind(temporary)
    assert not list(temporary.iterdir())
