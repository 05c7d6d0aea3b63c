"""What the rules cost is measured on full windows, and told of the worst cycle too."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from instrumentation.contract import recorded
from stack.rule_cost import __main__ as command
from stack.rule_cost import past
from stack.rule_cost.evaluations import Cost, Evaluations
from stack.rule_cost.fleet import STEP_SECONDS, Fleet
from stack.rule_cost.reads import Rules, Span

HOUR, DAY, WEEK = 3600, 86_400, 604_800
RULE_FILE = """\
groups:
- name: a
  interval: 1m
  rules:
  - record: job:http_server_requests:rate5m
    expr: sum by (job) (rate(http_server_request_duration_seconds_count[1h]))
  - record: job:b:mean
    expr: |-
      avg_over_time(job:http_server_requests:rate5m[55m])
      / job:http_server_requests:rate5m offset 1w
  - record: job:c:mean
    expr: max_over_time(sum_over_time(job:d:e[5m])[3d:1h] offset 1h)
  - record: job:f:rate5m
    expr: |-
      rate(http_server_request_duration_seconds_bucket{le="0.5"}[2h])
      + rate(http_server_request_duration_seconds_bucket[5m])
"""


@pytest.fixture
def rules(tmp_path: Path) -> Rules:
    (tmp_path / "rules.yml").write_text(RULE_FILE)
    return Rules(tmp_path)


def test_the_past_that_rules_read_is_found_in_their_expressions(rules: Rules) -> None:
    assert rules.spans("job:http_server_requests:rate5m") == [
        Span(WEEK + 300, WEEK),
        Span(55 * 60, 0),
    ]
    assert rules.spans("job:d:e") == [Span(3 * DAY + 300 + HOUR, HOUR)]
    assert rules.spans("job:nobody:reads") == []
    assert rules.intervals["job:http_server_requests:rate5m"] == 60


def test_all_buckets_are_fed_for_as_long_as_they_are_read(rules: Rules) -> None:
    # A single bucket, of which there are few, is written instead.
    assert past.steps_fed(rules) == 300 // STEP_SECONDS + 1


def test_recordings_and_single_buckets_are_there_as_long_as_they_are_read(rules: Rules) -> None:
    until = 10 * WEEK
    fleet = Fleet(1)
    lines = [line for _, several in past.samples(fleet, rules, until) for line in several]
    assert all(line.endswith("\n") for line in lines)
    times = [int(line.split()[-1]) for line in lines if line.startswith("job:http")]
    assert times == sorted(times)
    assert min(times) == until - WEEK - 300
    assert {at for at in times if at >= until - HOUR} == set(range(until - 55 * 60, until, 60))
    counted = [line for line in lines if "_count{" in line and '"/route-7"' in line]
    assert len(counted) == 3 * 2 * HOUR // STEP_SECONDS
    assert any(" 0 " not in line for line in counted)
    assert {line.partition("{")[0] for line in lines} == {
        "job:http_server_requests:rate5m",
        "http_server_request_duration_seconds_count",
        "http_server_request_duration_seconds_bucket",
    }


def test_a_fleet_has_about_the_series_that_are_asked_for() -> None:
    for series in (25_000, 100_000, 400_000):
        fleet = Fleet.of(series)
        (message, *_) = fleet.requests(1, 0)
        (metric,) = message.resource_metrics[0].scope_metrics[0].metrics
        points = metric.histogram.data_points
        each = sum(len(point.bucket_counts) + 2 for point in points)
        assert fleet.instances * each == pytest.approx(series, rel=0.03)
        assert sum(fleet.services.values()) == fleet.instances


def test_every_recorded_value_of_the_past_is_that_of_a_healthy_service() -> None:
    values = {each.name: past.value(each.name, 2.0) for each in recorded.series()}
    assert values["job:http_server_errors:ratio1h"] == 0
    assert values["job:http_server_requests:rate5m"] == 2
    assert values["job:http_server_request_duration_seconds:p99_10m"] < 0.3
    assert values["job:http_server_request_duration_seconds:tail10m"] < 3


def group(name: str, interval: float, began: str, took: float) -> dict[str, Any]:
    rule = {"name": f"{name}-rule", "lastEvaluation": began, "evaluationTime": took}
    return {**rule, "name": name, "interval": interval, "rules": [rule]}


def test_a_cycle_is_told_on_average_at_its_busiest_and_at_its_worst() -> None:
    evaluations = Evaluations(since=10)
    assert not evaluations.complete(1)
    seen = (
        group("often", 15, "1970-01-01T00:00:05Z", 9),
        group("often", 15, "1970-01-01T00:00:20.123456789Z", 0.25),
        group("often", 15, "1970-01-01T00:00:20.123456789Z", 0.25),
        group("often", 15, "1970-01-01T01:00:35+01:00", 0.5),
        group("often", 15, "1970-01-01T00:00:50Z", 0.25),
        group("seldom", 60, "1970-01-01T00:00:32Z", 2),
    )
    for each in seen[:-1]:
        evaluations.note([each])
    assert evaluations.complete(3)
    assert not evaluations.complete(4)
    evaluations.note([seen[-1]])
    cost = evaluations.cost(series=1, recorded=2, cpu=3, cycle_cpu=4, others=0)
    assert cost.mean == 0.25 + 2 * 15 / 60
    assert cost.together == 0.25 + 2
    # From 20 s on. The other began twice in these 15 s, a little late and then in time.
    assert cost.busiest == 2.5
    assert cost.groups == [("seldom", 2), ("often", 0.25)]
    assert cost.rules[0] == ("seldom[1] seldom-rule", 2)


@pytest.mark.parametrize(
    ("busiest", "together", "cpu", "others", "status"),
    [
        (2.9, 2.9, 2, 0, 0),
        (2.9, 3.1, 2, 0, 1),
        (3.1, 2.9, 2, 0, 1),
        # What passes on a busy machine is others' time.
        (9, 9, 2, 0.5, 0),
        (9, 9, 3.1, 0.5, 1),
    ],
)
def test_the_worst_cycle_decides(
    busiest: float,
    together: float,
    cpu: float,
    others: float,
    status: int,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def cost(size: int, rules: Path, concurrent: int) -> Cost:
        assert (rules, concurrent) == (command.RULES, 0)
        each = size / 400_000
        return Cost(
            series=size, recorded=5, mean=each, busiest=busiest * each, together=together * each,
            cpu=cpu * each, cycle_cpu=1, others=others, groups=[("a", 1)], rules=[("b", 1)],
        )  # fmt: skip

    monkeypatch.setattr(command, "measure", cost)
    assert command.main([]) == status
    out, err = capsys.readouterr()
    assert "slope from 100,000 to 400,000, for each 100,000 series more: 0.25 s a cycle" in out
    assert ("more than 3 s" in err) == bool(status)
    assert ("judged by processor time" in out) == bool(others)


@pytest.mark.parametrize("sizes", ["0", "-1", "many", ""])
def test_a_wrong_size_is_refused(sizes: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        command.main(["--sizes", sizes])
    assert "--sizes" in capsys.readouterr().err


@pytest.mark.parametrize("argument", ["--slowest", "--concurrent"])
def test_fewer_rules_than_none_are_refused(
    argument: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        command.main([argument, "-1"])
    assert f"argument {argument}: must be a whole number from 0 on" in capsys.readouterr().err


def test_a_folder_without_rules_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["--sizes", "6000", "--rules", str(tmp_path)]) == 1
    assert f"{tmp_path} holds no rule files (*.yml)" in capsys.readouterr().err


@pytest.mark.slow
@pytest.mark.stack
def test_a_real_prometheus_evaluates_every_group_over_full_windows(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert command.main(["--sizes", "6000", "--slowest", "1000"]) == 0
    out = capsys.readouterr().out
    assert "| 6,120 |" in out
    for name in ("tail[1]", "objectives[1]", "views-6h[1]", "errors[1]"):
        assert f" s {name} " in out
