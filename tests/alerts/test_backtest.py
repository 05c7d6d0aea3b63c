"""The backtest in a small form: pages where they are due, none elsewhere, broken rules told."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from alerts.backtest import counters, past, report
from alerts.backtest.__main__ import main
from alerts.backtest.catalog import Incident, Scenario
from alerts.backtest.draw import Draw
from alerts.backtest.kept import Kept
from alerts.backtest.replay import Case, Found, drawn, replay
from alerts.backtest.runs import split
from alerts.backtest.scenarios import SCENARIOS
from alerts.backtest.verdict import verdicts
from alerts.backtest.world import LIVE_MINUTES, SLOTS, Law, Route, World, since
from alerts.generate import GENERATED
from instrumentation.contract.recorded import REQUESTS_1H, REQUESTS_5M, SERVICE, Recorded
from stack.binaries import binary

SMALL = "outage,errors,slow_tail,bimodal_service,export,long_garbage_collection"


def run(*arguments: str) -> int:
    return main(["--promtool", str(binary("promtool")), "--seeds", "1", *arguments])


def test_incidents_page_in_time_and_harmless_days_do_not(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run("--scenarios", SMALL) == 0
    out = capsys.readouterr()
    assert "Incidents paged in time: 3 of 3" in out.out
    assert "Harmless days without a page: 3 of 3" in out.out
    assert "6 cases" in out.err


def test_a_rule_that_misses_is_told_with_its_scenario_and_seed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for path in GENERATED.glob("*.yml"):
        shutil.copy(path, tmp_path)
    rules = (tmp_path / "errors.yml").read_text()
    (tmp_path / "errors.yml").write_text(rules.replace("> 0.01", "> 0.9"))
    objectives = (tmp_path / "objectives.yml").read_text()
    (tmp_path / "objectives.yml").write_text(objectives.replace("/ 0.001 > ", "/ 0.001 > 1000 * "))
    assert run("--scenarios", "errors", "--rules", str(tmp_path)) == 1
    assert "errors, seed 1: no page of HighErrorRatio" in capsys.readouterr().err


def test_a_rule_that_cries_wolf_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for path in GENERATED.glob("*.yml"):
        shutil.copy(path, tmp_path)
    rules = (tmp_path / "tail.yml").read_text()
    (tmp_path / "tail.yml").write_text(rules.replace(">= 1.5 *", ">= 0 *"))
    assert run("--scenarios", "bimodal_service", "--rules", str(tmp_path)) == 1
    told = capsys.readouterr().err
    assert "bimodal_service, seed 1: paged for nothing: HighTailLatency" in told


def test_there_are_forty_scenarios_of_every_kind() -> None:
    assert len(SCENARIOS) >= 40
    assert len({each.name for each in SCENARIOS}) == len(SCENARIOS)
    incidents = [each.make(Draw(each.name, 1))[1] for each in SCENARIOS]
    kinds = {incident.kind for incident in incidents if incident}
    assert kinds == {"outage", "errors", "tail", "traffic"}
    assert sum(incident is None for incident in incidents) >= 20


def test_the_same_seed_draws_the_same_and_another_something_else() -> None:
    drawn = [Draw("outage", seed).evenly("x", 0, 1) for seed in (1, 1, 2)]
    assert drawn[0] == drawn[1] != drawn[2]
    assert Draw("errors", 1).evenly("x", 0, 1) != drawn[0]


def test_every_case_is_in_a_run_that_promtool_can_hold() -> None:
    cases = [(scenario, seed) for seed in (1, 2) for scenario in SCENARIOS]
    runs = split(cases, Kept())
    whole = [case for each in runs if not each.weeks for case in each.cases]
    assert all(each.cost > 0 for each in runs)
    assert sorted(map(str, whole)) == sorted(str(case) for case in cases if not case[0].past_only)
    compared = [case for each in runs if each.weeks for case in each.cases]
    assert sorted(map(str, compared)) == sorted(str(case) for case in cases if case[0].weeks)
    assert all(len({scenario.autumn for scenario, _ in each.cases}) == 1 for each in runs)


def test_a_counter_counts_each_request_once_and_forgets_at_a_restart() -> None:
    world = World(requests=10, routes=(Route(name="/", share=1, law=Law(median=0.01, sigma=0.3)),))
    world.rate[..., since(2)] = 0
    world.restarts.append((0, 100))
    found = dict(counters.series("a", world, np.random.default_rng(1), LIVE_MINUTES))
    (count,) = (text for name, text in found.items() if "_count" in name)
    (infinite,) = (text for name, text in found.items() if '"+Inf"' in name)
    assert count == infinite
    values = count.split()
    # Nothing is seen before the first request, and the whole is at rest after two minutes.
    assert values[0] == "_x1"
    total = int(values[-2].partition("x")[0])
    assert abs(total - 1200) < 200
    assert values[-1] == f"0x{SLOTS - 400 - 1}" or values[-1].startswith("_x")


def test_past_weeks_are_compared_with_the_same_requests() -> None:
    law = Law(median=0.01, sigma=0.3)
    routes = tuple(Route(name=name, share=0.5, law=law) for name in ("/a", "/b"))
    world = World(requests=10, routes=routes, background=0.1)
    whole = counters.series("a", world, np.random.default_rng(1), 10)
    ((_, total),) = counters.totals("a", world, np.random.default_rng(1), 10)
    # A counter rises at almost every scrape, of which every fourth is kept.
    parts = [text.split() for name, text in whole if "_count" in name]
    assert len(parts) == 4
    last = sum(int(samples[36].partition("x")[0]) for samples in map(_expanded, parts))
    assert int(_expanded(total.split())[9]) == last


def test_a_recorded_past_is_the_mean_of_its_window() -> None:
    world = World(requests=100, routes=(Route(name="/", share=1, law=Law(median=0.01, sigma=0.3)),))
    world.past_quiet = lambda minutes: np.where(np.mod(minutes, 60) < 30, 1.0, 0.0)
    found = dict(past.series("a", world, np.random.default_rng(1), weeks=False))

    def recorded(quantity: Recorded) -> list[float]:
        (text,) = (text for name, text in found.items() if name.startswith(quantity.at(SERVICE)))
        return [float(sample) for sample in text.split() if not sample.startswith("_")]

    assert all(45 < value < 55 for value in recorded(REQUESTS_1H))
    assert {round(value, -2) for value in recorded(REQUESTS_5M)} == {0, 100}


def _expanded(samples: list[str]) -> list[str]:
    """Write runs of equal samples out: `5x2` is `5 5 5`, `_x2` is two holes."""
    written: list[str] = []
    for sample in samples:
        value, _, more = sample.partition("x")
        written += ["0" if value == "_" else value] * (int(more or 0) + (value != "_"))
    return written


@pytest.mark.slow
def test_cases_that_are_replayed_together_do_not_disturb_each_other(tmp_path: Path) -> None:
    names = {"outage", "leak", "bimodal_service", "target_vanished", "hole", "slow_replica"}
    cases = [(scenario, 1) for scenario in SCENARIOS if scenario.name in names]
    promtool = str(binary("promtool"))
    together = replay(cases, tmp_path, promtool, weeks=False)
    for case in cases:
        alone = replay([case], tmp_path, promtool, weeks=False)
        job = f"{case[0].name}:1"
        for apart, joined in zip(alone, together, strict=True):
            minutes = drawn(*case)[0].minutes
            expected = {alert: at for alert, at in joined.get(job, {}).items() if at < minutes}
            assert apart.get(job, {}) == expected


def test_a_backtest_goes_on_where_it_was_stopped_unless_the_rules_changed(tmp_path: Path) -> None:
    (scenario,) = (each for each in SCENARIOS if each.name == "outage")
    cases = [(scenario, 1), (scenario, 2)]
    rules, file = tmp_path / "rules.yml", tmp_path / "kept.json"
    rules.write_text("a")
    (run,) = split(cases[:1], Kept(file, (rules,)))
    found: Found = {"outage:1": {"HighErrorRatio": 78.0}}, {"outage:1": {"NaiveErrorRatio": 77.0}}
    Kept(file, (rules,)).keep(run, found)
    later = Kept(file, (rules,))
    assert later.found() == found
    assert [each.cases for each in split(cases, later)] == [cases[1:]]
    rules.write_text("b")
    assert [each.cases for each in split(cases, Kept(file, (rules,)))] == [cases]


@pytest.mark.parametrize(
    ("fired", "fault"),
    [
        ({"HighErrorRatio": 78}, ""),
        ({"HighErrorRatio": 79}, "paged 1 min too late: HighErrorRatio at minute 79"),
        ({"TrafficDrop": 76}, "no page of HighErrorRatio, only TrafficDrop at minute 76"),
        ({}, "no page of HighErrorRatio"),
        ({"HighErrorRatio": 70}, "paged before it began: HighErrorRatio at minute 70"),
    ],
)
def test_a_page_is_judged_by_its_name_and_its_minute(fired: dict[str, float], fault: str) -> None:
    incident = Incident(kind="outage", alerts=("HighErrorRatio",))
    scenario = Scenario(name="a", story="A", make=lambda _: pytest.fail("is not drawn"))
    case = Case(scenario=scenario, seed=1, incident=incident, ranges={"x": (0, 1)})
    ((ours, naive),) = verdicts([case], {"a:1": fired}, {})
    assert ours.fault == fault
    assert naive.fault == "no page of NaiveErrorRatio"
    assert "| A | x: 0 to 1 |" in report.page(
        [(ours, naive)], "<!-- results -->\n<!-- end of results -->"
    )


@pytest.mark.parametrize("arguments", [("--seeds", "0"), ("--scenarios", "nothing")])
def test_a_wrong_argument_is_refused(arguments: tuple[str, str]) -> None:
    with pytest.raises(SystemExit):
        main(list(arguments))


def test_a_file_that_no_backtest_kept_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = tmp_path / "notes.txt"
    other.write_text("milk, bread")
    assert run("--scenarios", "outage", "--keep", str(other)) == 2
    assert "notes.txt: must be a file that a backtest kept" in capsys.readouterr().err
    assert other.read_text() == "milk, bread"


@pytest.mark.parametrize("text", [None, "a page without tables"])
def test_a_page_without_a_place_is_refused_before_the_work(
    text: str | None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "page.md"
    if text:
        page.write_text(text)
    assert run("--scenarios", "outage", "--write", str(page)) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert ("--write: the page must hold" if text else f"{page}: No such file") in said


def test_a_missing_promtool_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--promtool", "/nowhere/promtool", "--scenarios", "outage", "--seeds", "1"]) == 2
    assert "/nowhere/promtool" in capsys.readouterr().err
