"""The committed files are the generated ones, and Prometheus and Alertmanager accept them."""

from __future__ import annotations

import subprocess
from datetime import timedelta
from pathlib import Path

import promql_parser
import pytest

from alerts import alertmanager, generate
from alerts.__main__ import main
from alerts.links import Links
from alerts.model import Alert, Group, Record, Scale
from instrumentation.contract import metrics, recorded, watchers
from instrumentation.contract.slo import DEFAULTS
from stack.binaries import binary

RUNBOOKS = Path("alerts/runbooks")
FACTORS = (1, 1.5, 7, 10)
KNOWN = {
    *(metric.name for metric in metrics.ALL),
    *(
        f"{metric.name}_{suffix}"
        for metric in metrics.ALL
        if metric.kind == "histogram"
        for suffix in ("bucket", "count", "sum")
    ),
    *metrics.EXTERNAL,
    *watchers.EXTERNAL,
    *(series.name for series in recorded.series()),
    "up",
}

BACKENDS = ("otelcol_", "prometheus_", "alertmanager_")


def rules(factor: float = 1) -> list[Record | Alert]:
    return [rule for group in generate.groups(DEFAULTS.scaled(factor)) for rule in group.rules]


def alerts() -> list[Alert]:
    return [rule for rule in rules() if isinstance(rule, Alert)]


def selectors(node: object) -> list[promql_parser.VectorSelector]:
    if isinstance(node, promql_parser.VectorSelector):
        return [node]
    children = (getattr(node, name, None) for name in ("expr", "lhs", "rhs", "vector_selector"))
    found = [selector for child in children if child for selector in selectors(child)]
    for argument in getattr(node, "args", None) or ():
        found += selectors(argument)
    return found


def far(selector: promql_parser.VectorSelector) -> bool:
    """Whether it looks back at a past; less than an hour is a window, which a scale shortens."""
    offset = selector.offset
    return offset is not None and offset >= timedelta(hours=1)


def test_the_committed_rules_are_the_generated_ones() -> None:
    assert generate.differences(generate.GENERATED, generate.rule_files()) == []
    assert main(["--check"]) == 0


def test_a_changed_rule_is_noticed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    generate.write(tmp_path, generate.rule_files())
    (tmp_path / "tail.yml").write_text("groups: []\n")
    assert main(["--check", "--out", str(tmp_path)]) == 1
    assert "tail.yml" in capsys.readouterr().err


@pytest.mark.parametrize("factor", FACTORS)
def test_promtool_and_amtool_accept_every_scale(factor: float, tmp_path: Path) -> None:
    assert main(["--scale", str(factor), "--out", str(tmp_path)]) == 0
    files = sorted(tmp_path.glob("*.yml"))
    assert len(files) == len(generate.rule_files())
    subprocess.run([binary("promtool"), "check", "rules", "--lint-fatal", *files], check=True)
    copy = tmp_path / "alertmanager" / "alertmanager.yml"
    subprocess.run([binary("amtool"), "check-config", copy], check=True)


@pytest.mark.parametrize("factor", FACTORS)
def test_every_expression_parses_and_reads_known_series(factor: float) -> None:
    for rule in rules(factor):
        found = selectors(promql_parser.parse(rule.expression))
        assert {selector.name for selector in found} <= KNOWN
        # Nothing but Watchdog reads nothing.
        assert found or rule == next(each for each in alerts() if each.name == "Watchdog")


def test_every_recorded_series_has_one_rule_and_keeps_its_name_when_scaled() -> None:
    names = sorted(rule.name for rule in rules() if isinstance(rule, Record))
    assert names == sorted(series.name for series in recorded.series())
    assert names == sorted(rule.name for rule in rules(10) if isinstance(rule, Record))


def test_what_looks_back_reads_recorded_series_only() -> None:
    found = [each for rule in rules() for each in selectors(promql_parser.parse(rule.expression))]
    offset = [selector for selector in found if far(selector)]
    assert offset
    assert {selector.name for selector in offset} <= {each.name for each in recorded.series()}


def test_offsets_stay_when_scaled() -> None:
    def offsets(factor: float) -> list[object]:
        parsed = (promql_parser.parse(rule.expression) for rule in rules(factor))
        return [each.offset for node in parsed for each in selectors(node) if far(each)]

    assert offsets(10) == offsets(1)


def test_waits_and_intervals_shrink_with_the_windows() -> None:
    for group, short in zip(generate.groups(), generate.groups(DEFAULTS.scaled(10)), strict=True):
        assert short.interval == group.interval / 10
        for rule, shorter in zip(group.rules, short.rules, strict=True):
            if isinstance(rule, Alert) and isinstance(shorter, Alert):
                assert shorter.wait == rule.wait / 10


def test_a_group_records_before_it_reads() -> None:
    def written(group: Group, before: int) -> set[str]:
        return {rule.name for rule in group.rules[:before] if isinstance(rule, Record)}

    for group in generate.groups():
        for place, rule in enumerate(group.rules):
            own = written(group, len(group.rules))
            read = {each.name for each in selectors(promql_parser.parse(rule.expression))}
            # A rule may remember its own past.
            late = (read & own) - written(group, place) - {rule.name}
            # What was usual is read from weeks ago, before it is written for now.
            assert late <= {"job:http_server_requests:rate30m"}, rule.name


@pytest.mark.parametrize("factor", [0.5, 0, -1, 11, float("nan")])
def test_a_scale_out_of_bounds_is_refused(factor: float) -> None:
    with pytest.raises(ValueError, match="scale: must be from 1 to 10"):
        Scale(factor)


def test_the_committed_folder_is_never_scaled(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--scale", "10"])
    assert "--out" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--grafana", "foo"], "argument --grafana: must be an address such as https://host/path"),
        (["--jaeger", "bar baz"], "argument --jaeger: must be an address"),
        (["--runbooks", "ftp://x"], "argument --runbooks: must be an address"),
        (["--webhook", "foo"], "argument --webhook: must be an address"),
        (["--format", "kubernetes", "--namespace", "A B"], "argument --namespace: must be at most"),
        (["--namespace", "x"], "add --format kubernetes"),
        (["--label", "a=b"], "add --format kubernetes"),
        (["--label", "a"], "argument --label: must be NAME=VALUE"),
    ],
)
def test_a_value_that_can_never_be_meant_is_refused(
    arguments: list[str], sentence: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main([*arguments, "--out", str(tmp_path / "out")])
    assert ended.value.code == 2
    assert sentence in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_a_file_that_can_not_be_written_costs_none_of_the_others(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "of-an-earlier-generation.yml").touch()
    (tmp_path / "work.yml").mkdir()
    with pytest.raises(IsADirectoryError):
        generate.write(tmp_path, generate.rule_files())
    assert (tmp_path / "of-an-earlier-generation.yml").exists()


def test_every_alert_has_a_runbook_with_every_part() -> None:
    names = {alert.name for alert in alerts()}
    assert {path.stem for path in RUNBOOKS.glob("*.md")} == names
    for name in names:
        text = (RUNBOOKS / f"{name}.md").read_text()
        for heading in (f"# {name}", "## Meaning", "## Impact", "## Diagnosis", "## Mitigation"):
            assert f"{heading}\n" in text, name
        assert len(text.splitlines()) > 15


def test_every_query_of_a_runbook_parses() -> None:
    for path in RUNBOOKS.glob("*.md"):
        blocks = path.read_text().split("```promql\n")[1:]
        for block in blocks:
            found = selectors(promql_parser.parse(block.split("```")[0]))
            unknown = {str(selector.name) for selector in found} - KNOWN - {"ALERTS", "None"}
            # The backends' own names are not ours to list.
            assert all(name.startswith(BACKENDS) for name in unknown), path


def test_links_follow_their_bases() -> None:
    links = Links(grafana="http://127.0.0.1:1", runbooks="http://127.0.0.1:2/user")
    text = "".join(generate.rule_files(links=links).values())
    assert text.count("dashboard_url: http://127.0.0.1:1/d/") == len(alerts())
    assert text.count("runbook_url: http://127.0.0.1:2/user/") == len(alerts())


def test_a_drill_gets_its_own_receivers_and_shorter_waits(tmp_path: Path) -> None:
    alertmanager.write(tmp_path, Scale(10), "http://127.0.0.1:9")
    assert (tmp_path / "page.url").read_text() == "http://127.0.0.1:9/page"
    text = (tmp_path / "alertmanager.yml").read_text()
    assert f"url_file: {tmp_path.resolve()}/page.url" in text
    assert "group_wait: 3s" in text
