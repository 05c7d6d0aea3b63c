"""What a snapshot makes of a person's words, and of Grafana's."""

from __future__ import annotations

import json
import socket
from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml

from dashboards import boards, colours
from dashboards.__main__ import main
from dashboards.model import Board, Graph
from dashboards.snapshot import chart
from dashboards.snapshot.browser import executable
from dashboards.snapshot.errors import SnapshotError
from dashboards.snapshot.filling import Range, chosen, filled
from dashboards.snapshot.moments import moment, since, span
from dashboards.snapshot.prometheus import Series
from dashboards.snapshot.report import Snapshot
from dashboards.snapshot.values import legend, spelled
from tests.dashboards.reading import BOARDS, DASHBOARDS

HOUR = Range(1000, 4600)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("now", 10_000),
        ("now-30m", 8_200),
        ("now-2h", 2_800),
        ("1500.5", 1500.5),
        ("1970-01-01T01:00", 3600),
        ("1970-01-01T01:00+01:00", 0),
    ],
)
def test_a_time_is_relative_or_absolute(text: str, expected: float) -> None:
    assert moment(text, 10_000) == expected


@pytest.mark.parametrize("text", ["", "yesterday", "now-30", "now+1h", "30m"])
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=f"time: must be now, .*, not {text.replace('+', '.')}"):
        moment(text, 10_000)


def test_a_range_ends_after_it_began() -> None:
    with pytest.raises(ValueError, match="--to: must be after --from, 20, not 10"):
        Range(20, 10)


def test_windows_are_grafanas() -> None:
    expression = 'rate(a{job=~"$job"}[$__rate_interval]) + increase(a[$__range])'
    step = HOUR.step()
    assert step == 15
    assert filled(expression, {"job": "orders"}, HOUR, step) == (
        'rate(a{job=~"orders"}[1m]) + increase(a[1h])'
    )
    assert HOUR.rate_interval(600) == 615
    assert HOUR.step(21_600) == 21_600


def test_a_value_is_matched_as_it_is_and_what_is_not_given_is_everything() -> None:
    values = chosen(BOARDS["route"].variables, {"route": "/orders/{id}.pdf"})
    asked = filled('x{http_route=~"$route", job=~"$job"}', values, HOUR, 15)
    assert asked == r'x{http_route=~"/orders/\\{id\\}\\.pdf", job=~".*"}'


def test_a_variable_that_the_dashboard_lacks_is_refused() -> None:
    with pytest.raises(ValueError, match=r"--var: must be one of .*job.*, not colour"):
        chosen(BOARDS["incident"].variables, {"colour": "red"})
    with pytest.raises(ValueError, match=r"--var window: must be one of 5m, .*, not 7m"):
        chosen(BOARDS["incident"].variables, {"window": "7m"})


@pytest.mark.parametrize("board", boards.ALL, ids=lambda board: board.name)
def test_nothing_of_grafanas_is_left_in_a_query(board: Board) -> None:
    snapshot = Snapshot(board=board, seen=HOUR)
    titles = []
    for panel in (panel for row in snapshot.rows() for panel in row.panels):
        titles.append(panel.title)
        for query in panel.queries:
            assert "$" not in filled(query.expression, snapshot.values(), HOUR, 15)
    assert titles.count("Which alerts fire, and since when?") == 1
    assert titles.count("Which line of code blocks the event loop?") == 1


def test_numbers_are_spelled_with_their_units() -> None:
    at = datetime(2026, 1, 31, 12, tzinfo=UTC).timestamp() * 1000
    assert spelled(0.25, "seconds") == "250 ms"
    assert spelled(12.5, "seconds") == "12.5 s"
    assert spelled(0.0123, "ratio") == "1.23 %"
    assert spelled(3 * 2**20, "bytes") == "3 MiB"
    assert spelled(at, "since") == "2026-01-31 12:00:00 UTC"
    assert spelled(float("nan"), "number") == ""


def test_a_label_that_is_missing_leaves_no_gap_in_a_legend() -> None:
    assert legend("p99 {{job}} {{environment}} now", {"job": "orders"}) == "p99 orders now"


def test_a_line_breaks_where_nothing_was_measured() -> None:
    graph = BOARDS["capacity"].panels[0]
    assert isinstance(graph, Graph)
    series = Series({"job": "orders"}, ((1000, 1.0), (1015, 2.0), (1075, 3.0)))
    curves = [chart.Curve(graph.queries[0], series)]
    drawn = json.loads(chart.figure(graph, curves, chart.styled(graph, curves), HOUR, 15))
    assert drawn["data"][0]["y"] == [1, 2, None, 3]


def test_lines_of_one_colour_differ_in_their_dashes() -> None:
    graph = next(each for each in BOARDS["incident"].panels if each.title.startswith("Which share"))
    assert isinstance(graph, Graph)
    curves = [chart.Curve(graph.queries[0], Series({"job": job}, ((1000, 1.0),))) for job in "abc"]
    lines = chart.styled(graph, curves)
    assert {line.colour for line in lines} == {colours.BAD}
    assert len({line.dashes for line in lines}) == len(lines)


def test_what_began_on_another_day_is_told_with_its_date() -> None:
    noon = datetime(2026, 1, 31, 12, tzinfo=UTC).timestamp()
    assert since(noon - 90, noon) == "11:58:30, for 90 s"
    assert since(noon - 2 * 86_400, noon) == "2026-01-29 12:00, for 2 days"
    assert span(noon - 1800, noon) == "2026-01-31 11:30:00 to 12:00:00 UTC (30 min)"


def test_a_browser_that_is_not_there_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHROMIUM", "/nowhere/chromium")
    with pytest.raises(SnapshotError, match="/nowhere/chromium, which CHROMIUM names, is not"):
        executable()
    monkeypatch.delenv("CHROMIUM")
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(SnapshotError, match="Chromium is not there: install it"):
        executable()


def test_a_prometheus_that_does_not_answer_ends_it_in_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
    out = tmp_path / "report.html"
    assert main(["snapshot", "incident", "--prometheus", url, "--out", str(out)]) == 1
    last = capsys.readouterr().err.splitlines()[-1]
    assert last.startswith(f"error: Prometheus at {url} does not answer: ")
    assert not out.exists()


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--var", "job"], "--var: must be NAME=VALUE, not job"),
        (["--var", "colour=red"], "error: --var: must be one of"),
        (["--from", "yesterday"], "error: --from: must be now, now-30m, "),
        (["--to", "tomorrow"], "error: --to: must be now, now-30m, "),
        (["--from", "now", "--to", "now-1h"], "error: --to: must be after --from"),
        (["--out", "/nowhere/report.html"], "--out: must be in a folder that exists"),
    ],
)
def test_a_wrong_argument_is_told(
    arguments: list[str], sentence: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    common = ["snapshot", "trend", "--prometheus", "http://127.0.0.1:1"]
    assert main([*common, "--out", str(tmp_path / "a.html"), *arguments]) == 1
    assert sentence in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--scrape", "0"], "argument --scrape: must be a number of seconds above 0, not '0'"),
        (["--scrape", "nan"], "argument --scrape: must be a number of seconds above 0, not 'nan'"),
        (["--prometheus", "here"], "argument --prometheus: must be an address such as"),
        (["--jaeger", "http://["], "argument --jaeger: must be an address such as"),
        (["--out", "/proc/version/a.html"], "argument --out: /proc/version: Not a directory"),
        (["--out", "/proc"], "argument --out: /proc: Is a directory"),
    ],
)
def test_a_value_that_can_never_be_meant_is_refused(
    arguments: list[str], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    common = ["snapshot", "trend", "--prometheus", "http://127.0.0.1:1", "--out", "a.html"]
    with pytest.raises(SystemExit) as ended:
        main([*common, *arguments])
    assert ended.value.code == 2
    assert sentence in capsys.readouterr().err


def test_a_configmap_holds_each_dashboard_as_it_is(tmp_path: Path) -> None:
    arguments = ["configmaps", "--out", str(tmp_path), "--namespace", "monitoring"]
    assert main(arguments) == 0
    assert {path.stem for path in tmp_path.iterdir()} == set(DASHBOARDS)
    for path in tmp_path.iterdir():
        manifest = yaml.safe_load(path.read_text())
        assert manifest["kind"] == "ConfigMap"
        assert manifest["metadata"]["namespace"] == "monitoring"
        assert manifest["metadata"]["labels"] == {"grafana_dashboard": "1"}
        assert list(manifest["data"].values()) == [DASHBOARDS[path.stem].read_text()]
        assert len(path.read_bytes()) < 2**20


def test_the_sidecars_label_can_be_another(tmp_path: Path) -> None:
    assert main(["configmaps", "--out", str(tmp_path), "--label", "dashboards=yes"]) == 0
    manifest = yaml.safe_load((tmp_path / "incident.yaml").read_text())
    assert manifest["metadata"]["labels"] == {"dashboards": "yes"}
    assert "namespace" not in manifest["metadata"]


@pytest.mark.parametrize(
    ("argument", "value"), [("--label", "dashboards"), ("--label", "a b=c"), ("--namespace", "A B")]
)
def test_what_kubernetes_would_refuse_is_refused(
    argument: str, value: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        main(["configmaps", "--out", str(tmp_path / "maps"), argument, value])
    assert f"argument {argument}: must be " in capsys.readouterr().err
    assert not (tmp_path / "maps").exists()
