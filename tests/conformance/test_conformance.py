from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conformance import plugin
from tests.conformance.lines import REQUIRED
from tests.conformance.marks import ROOT, MarkError, Proof, proofs
from tests.conformance.page import expected, lacking, render, rows, told

_LINES = {"Area": ("a line", "another")}
_SHOWN = Proof("Area", "a line", "tests/test_a.py::test_it_holds")

_PROVING = """
import pytest

@pytest.mark.proves("Area", "held")
@pytest.mark.parametrize("number", [1, 2, 3])
def test_held(number):
    assert number

@pytest.mark.proves("Area", "broken")
@pytest.mark.parametrize("number", [0, 1])
def test_broken(number):
    assert number

@pytest.mark.proves("Area", "left out")
def test_left_out():
    pytest.skip("not here")

@pytest.fixture
def torn():
    yield
    raise RuntimeError

@pytest.mark.proves("Area", "torn down")
def test_torn_down(torn):
    pass

def test_of_nothing():
    pass
"""


@pytest.mark.parametrize("workers", ["0", "2"])
@pytest.mark.proves("What must be shown", "this table is made from test results")
def test_outcomes_are_kept_with_and_without_workers(tmp_path: Path, workers: str) -> None:
    (tmp_path / "test_proving.py").write_text(_PROVING)
    results = tmp_path / "results.json"
    results.write_text('{"test_earlier.py::test_earlier": "passed"}')
    (tmp_path / "conftest.py").write_text(
        "from pathlib import Path\nfrom tests.conformance import plugin\n"
        f"plugin.RESULTS = Path({str(results)!r})\npytest_plugins = ['tests.conformance.plugin']\n"
    )
    (tmp_path / "pytest.ini").write_text("[pytest]\nmarkers =\n    proves(area, line)\n")
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-n", workers, "-p", "no:cacheprovider", tmp_path],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert run.returncode == 1, run.stdout + run.stderr
    assert json.loads(results.read_text()) == {
        "test_earlier.py::test_earlier": "passed",
        "test_proving.py::test_broken": "failed",
        "test_proving.py::test_held": "passed",
        "test_proving.py::test_left_out": "skipped",
        "test_proving.py::test_torn_down": "failed",
    }


def test_a_line_without_a_test_is_missing() -> None:
    found = rows(_LINES, [_SHOWN], {_SHOWN.test: "passed"})
    assert lacking(found) == ["Area: another: **missing**"]


@pytest.mark.parametrize(
    ("outcome", "result"),
    [("passed", "shown"), ("failed", "**failed**"), ("skipped", "**skipped**")],
)
def test_a_row_is_shown_only_where_each_of_its_tests_passed(outcome: str, result: str) -> None:
    other = Proof("Area", "a line", "tests/test_a.py::test_other")
    outcomes = {_SHOWN.test: "passed", other.test: outcome}
    assert rows(_LINES, [_SHOWN, other], outcomes)[0].result == result


def test_a_test_that_did_not_run_proves_nothing() -> None:
    assert rows(_LINES, [_SHOWN], {})[0].result == "**not run**"


def test_what_is_proved_beyond_the_promise_has_a_row_too() -> None:
    beyond = Proof("Elsewhere", "more", "tests/test_a.py::test_more")
    assert [row.line for row in rows(_LINES, [beyond], {})] == ["a line", "another", "more"]


def test_a_page_tells_what_was_written_into_it() -> None:
    found = rows(_LINES, [_SHOWN], {_SHOWN.test: "passed"})
    page = render(found)
    assert told(page) == expected(found)
    assert told(page) != expected(rows(_LINES, [], {}))


def test_marks_are_read_from_the_source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.conformance.marks.ROOT", tmp_path)
    (tmp_path / "test_proving.py").write_text(_PROVING)
    assert [(proof.line, proof.test) for proof in proofs(tmp_path)] == [
        ("held", "test_proving.py::test_held"),
        ("broken", "test_proving.py::test_broken"),
        ("left out", "test_proving.py::test_left_out"),
        ("torn down", "test_proving.py::test_torn_down"),
    ]


def test_a_mark_that_must_be_run_to_be_read_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tests.conformance.marks.ROOT", tmp_path)
    (tmp_path / "test_bad.py").write_text(
        "import pytest\n@pytest.mark.proves(AREA, 'line')\ndef test_it(): ...\n"
    )
    with pytest.raises(MarkError, match=r"test_bad.py:2: proves\(\) takes two texts"):
        proofs(tmp_path)


def test_no_line_is_promised_twice_and_none_breaks_the_table() -> None:
    for area, lines in REQUIRED.items():
        assert len(set(lines)) == len(lines), area
        assert not any("|" in line for line in lines)


def test_results_are_kept_outside_of_version_control() -> None:
    ignored = (ROOT / ".gitignore").read_text().splitlines()
    assert f"{plugin.RESULTS.parent.relative_to(ROOT)}/" in ignored
