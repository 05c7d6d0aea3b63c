"""The benchmark itself: what it says of a promise, and that each part runs."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks import children, instructions, overhead, page, results, served, soak
from benchmarks.children import BenchError
from benchmarks.client import measure
from benchmarks.overhead import Overhead
from benchmarks.profile import module_of
from benchmarks.results import Part
from benchmarks.served import Served
from benchmarks.targets import Target, table
from benchmarks.variants import VARIANTS

FOUND = [Overhead(name, 1e-6, number * 1e-6) for number, name in enumerate(VARIANTS)]


def test_a_promise_is_kept_up_to_its_bound() -> None:
    assert Target("cpu", 30.0, 30.0).holds
    assert not Target("cpu", 30.1, 30.0).holds
    assert Target("throughput", 0.85, 0.85, at_least=True).holds
    assert not Target("throughput", 0.84, 0.85, at_least=True).holds


def test_a_missed_promise_is_told_with_its_figure() -> None:
    missed = Target("cpu", 31.25, 30.0, " ms")
    assert missed.line() == "missed: cpu: 31.25 ms, at most 30 ms"
    assert "| cpu | 31.25 ms | at most 30 ms | missed |" in table([missed])


def test_overheads_are_compared_with_those_of_the_peers() -> None:
    fastapi, contrib, ten = overhead.targets(FOUND)
    names = list(VARIANTS)
    assert fastapi.measured == pytest.approx(names.index("ours") / names.index("fastapi"))
    assert contrib.measured == pytest.approx(names.index("ours") / names.index("contrib"))
    expected = names.index("ours-10") / names.index("instrumentator")
    assert ten.measured == pytest.approx(expected)


def test_instructions_are_told_beside_the_ratio_of_cpu() -> None:
    counted = [replace(one, instructions=index * 1e3) for index, one in enumerate(FOUND)]
    names = list(VARIANTS)
    expected = names.index("ours") / names.index("fastapi")
    assert overhead.targets(counted)[0].note == f"in instructions {expected:.2f}"
    assert "| +4,000 |" in overhead.table(counted)
    assert "| – |" in overhead.table(FOUND)


@pytest.mark.slow
@pytest.mark.skipif(not instructions.available(), reason="valgrind is not installed")
def test_instructions_are_the_same_from_run_to_run() -> None:
    once, again = (instructions.measure("bare", {}, 50) for _ in range(2))
    assert once > 10_000
    assert again == pytest.approx(once, rel=0.05)


def test_a_peer_that_costs_nothing_keeps_no_promise() -> None:
    free = [Overhead(name, 0.0, 0.0) for name in VARIANTS]
    assert not any(target.holds for target in overhead.targets(free))


def test_served_figures_are_the_median_of_ratios_beside_an_a_a_run() -> None:
    found = Served()
    for name, figures in (("bare", [100, 200]), ("ours-10", [90, 160]), ("bare-again", [100, 198])):
        found.closed[name] = [float(figure) for figure in figures]
        found.p99[name] = [float(figure) for figure in figures]
    throughput, tail = found.targets()
    assert throughput.measured == pytest.approx(0.85)
    assert tail.note == "rounds 0.80 to 0.90; bare over itself 0.99, 0.99 to 1.00"


def test_growth_is_that_of_the_line_through_the_later_samples() -> None:
    flat = dict.fromkeys(soak.MOST, 10.0)
    leaking = [{**flat, "resident": 100.0 if minute < 3 else 70.0 + minute} for minute in range(9)]
    resident, *others = soak.targets(leaking)
    assert resident.measured == pytest.approx(5.0)
    assert not resident.holds
    assert all(target.holds and target.measured == 0 for target in others)


def test_a_soak_asks_the_service_what_it_holds_after_each_minute() -> None:
    told: list[str] = []
    found = soak.measure(3, told.append, seconds=0.5)
    assert [target.name.rpartition(" ")[2] for target in found] == list(soak.MOST)
    assert len(told) == 3
    assert " 0 series" not in told[-1]


def test_bytecodes_are_those_of_what_observes() -> None:
    bare, ours = (
        children.output("benchmarks.bytecodes", variant, "5", "2", OTEL_TRACES_EXPORTER="none")
        for variant in ("bare", "ours")
    )
    assert ours["mean"] > bare["mean"]


def test_a_machine_too_busy_to_compare_is_told_and_no_verdict() -> None:
    found = Served()
    for name, figure in (("bare", 100.0), ("ours-10", 95.0), ("bare-again", 70.0)):
        found.closed[name] = found.p99[name] = [figure]
    with pytest.raises(BenchError, match=r"too busy .* the bare application over itself is 0.70"):
        found.targets()


def test_a_page_keeps_what_stands_around_the_figures(tmp_path: Path) -> None:
    written = tmp_path / "performance.md"
    written.write_text(f"# Before\n\n{page.BEGIN}\n\nold\n\n{page.END}\n\nAfter\n")
    page.write(
        written, "a machine", {"overhead": Part("1 round", 0.25, [Target("cpu", 1, 2)], FOUND)}
    )
    text = written.read_text()
    assert text.startswith("# Before\n")
    assert text.endswith("\n\nAfter\n")
    assert "old" not in text
    assert "| cpu | 1.00 | at most 2 | kept |" in text
    assert "| overhead | 1 round | 0.2 |" in text
    assert "xychart-beta" in text


def test_a_part_that_is_run_again_replaces_its_own_figures_alone(tmp_path: Path) -> None:
    file = tmp_path / "bench.json"
    scrape, first, second = (
        Part("1 round", 0.5, [Target("cpu", measured, 2.0, note="note")], FOUND)
        for measured in (1.0, 2.0, 3.0)
    )
    results.save("overhead", first, file)
    results.save("scrape", scrape, file)
    results.save("overhead", second, file)
    assert results.read(file) == {"scrape": scrape, "overhead": second}


def test_figures_of_another_machine_are_left_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "bench.json"
    results.save("scrape", Part("1 round", 0.5, [], []), file)
    monkeypatch.setattr(results, "machine", lambda: "another machine")
    assert results.read(file) == {}


def test_a_page_without_marks_is_refused(tmp_path: Path) -> None:
    (tmp_path / "page.md").write_text("nothing")
    with pytest.raises(BenchError, match="has no line"):
        page.write(tmp_path / "page.md", "", {})


def test_a_client_counts_answers_in_both_loops() -> None:
    with children.sink() as endpoint, served.served("bare", endpoint) as port:
        closed = asyncio.run(measure(port, 4, 0.5, 0))
        opened = asyncio.run(measure(port, 4, 0.5, 50))
    assert closed["failed"] == opened["failed"] == 0
    assert closed["rate"] > 0
    assert 0 < opened["p99"] < float("inf")


@pytest.mark.parametrize("variant", ["ours", "contrib"])
def test_a_variant_is_measured_in_a_process_of_its_own(variant: str) -> None:
    with children.sink() as endpoint:
        found = children.output("benchmarks.requests", variant, "20", "2", core=None, **endpoint)
    assert found["seconds"] > 0


def test_a_profile_tells_our_modules_from_the_libraries() -> None:
    assert module_of("/x/repo/instrumentation/http/layer.py") == "instrumentation/http/layer.py"
    assert module_of("/x/site-packages/opentelemetry/trace/span.py") == "opentelemetry"
    assert module_of("/x/site-packages/starlette/routing.py") is None


def test_a_profile_names_what_observes() -> None:
    ended = subprocess.run(
        children.command("benchmarks.profile", "ours"),
        capture_output=True, text=True, timeout=60,
        env=children.environment(OTEL_TRACES_EXPORTER="none"),
    )  # fmt: skip
    assert ended.returncode == 0, ended.stderr
    assert "| `instrumentation/http/exchange.py` | " in ended.stdout


def test_a_child_that_fails_says_why() -> None:
    with pytest.raises(BenchError, match="KeyError: 'unknown'"):
        children.output("benchmarks.requests", "unknown", "1", "1")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--rounds", "0"], "must be a whole number from 1 on, not '0'"),
        (
            ["--only", "speed"],
            "must be of overhead, routers, scrape, memory, served, soak, got 'speed'",
        ),
    ],
)
def test_a_wrong_argument_is_one_sentence(arguments: list[str], said: str) -> None:
    command = [sys.executable, "-m", "benchmarks", *arguments]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert ended.returncode == 2
    assert said in ended.stderr


def test_what_can_not_be_written_is_told_before_anything_is_measured(tmp_path: Path) -> None:
    root = str(Path(__file__).parents[2])
    (tmp_path / "var").touch()
    command = [sys.executable, "-m", "benchmarks", "--only", "soak"]
    ended = subprocess.run(
        command, capture_output=True, text=True, timeout=60, cwd=tmp_path,
        env=children.environment(PYTHONPATH=root),
    )  # fmt: skip
    assert ended.returncode == 2
    assert ended.stderr == f"bench: {tmp_path}/var: Not a directory\n"
    assert ended.stdout == ""


@pytest.mark.slow
def test_a_short_run_writes_its_results(tmp_path: Path) -> None:
    root = str(Path(__file__).parents[2])
    ended = subprocess.run(
        [sys.executable, "-m", "benchmarks", "--quick", "--only", "scrape"],
        capture_output=True, text=True, timeout=250, cwd=tmp_path,
        env=children.environment(PYTHONPATH=root),
    )  # fmt: skip
    assert ended.returncode in (0, 1), ended.stderr
    found = json.loads((tmp_path / "var/bench.json").read_text())
    targets = found["parts"]["scrape"]["targets"]
    assert len(targets) == 3
    missed = [target["name"] for target in targets if not target["holds"]]
    assert bool(missed) == bool(ended.returncode)
