"""Every query of every panel answers on a real Prometheus, in one incident after another."""

from __future__ import annotations

import inspect
import os
import re
import sys
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from statistics import median

import pytest

from dashboards import boards, variables
from dashboards.__main__ import main
from dashboards.model import Board, Graph
from demo_service import shape
from demo_service.faults import blocked_loop
from demo_service.faults.slow_charges import SlowCharges
from demo_service.faults.slow_tail import SlowTail
from instrumentation.contract import places, recorded, slo
from tests.dashboards import exposed
from tests.dashboards.asking import Window
from tests.dashboards.prices import PAGE, prices
from tests.dashboards.quiet import expected, speaking
from tests.dashboards.reading import BOARDS, DASHBOARDS, expressions, load
from tests.dashboards.rehearsal import ALERTS, FAULTS, LESS_LOAD, SCRAPE, WINDOWS, rehearsed
from tests.dashboards.rehearsing import Rehearsal
from tests.dashboards.second import PROVIDER, VERSION
from tests.dashboards.signs import SIGNS
from tests.dashboards.test_rules import MOST_QUERIES

pytestmark = [pytest.mark.stack, pytest.mark.slow, pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rehearsal]:
    kept = os.environ.get("REHEARSAL", "")
    with rehearsed(Path(kept) if kept else tmp_path_factory.mktemp("live")) as rehearsal:
        yield rehearsal


@pytest.mark.parametrize("window", WINDOWS)
@pytest.mark.parametrize("board", boards.ALL, ids=lambda board: board.name)
def test_every_panel_has_data(live: Rehearsal, board: Board, window: str) -> None:
    silent = []
    for panel in board.panels:
        for nth, query in enumerate(panel.queries):
            # What may be silent must be a question that Prometheus understands, all the same.
            found = live.prometheus.panel(board.name, panel.title, nth, live.windows[window])
            if expected(panel.title, query.legend, window) and not found:
                silent.append(f"{panel.title} {query.legend}")
    assert not silent


def test_every_fault_of_the_demo_had_its_window(live: Rehearsal) -> None:
    assert set(live.faults) == set(FAULTS)
    assert set(live.windows) == set(WINDOWS)
    for before, after in pairwise(FAULTS):
        assert live.windows[before].ended < live.windows[after].began


@pytest.mark.parametrize("board", boards.ALL, ids=lambda board: board.name)
def test_every_variable_offers_what_runs(live: Rehearsal, board: Board) -> None:
    orders = f"127.0.0.1:{live.ports['DEMO_PORT']}"
    wanted = {
        places.JOB_VARIABLE: {"orders", "payments"},
        places.INSTANCE_VARIABLE: {orders, live.second},
        places.ROUTE_VARIABLE: {"/api/v1/orders", "/api/v1/products/{product_id}"},
    }
    window = live.windows["bad_release"]
    asked = 0
    for variable in load(board.name)["templating"]["list"]:
        if variable["type"] == "query":
            series, _, label = variable["query"][len("label_values(") : -1].rpartition(", ")
            every, few = (
                live.prometheus.values(label, series.replace("$job", job), window)
                for job in (".*", "payments")
            )
            assert wanted[variable["name"]] <= every
            assert few < every or variable["name"] == places.JOB_VARIABLE
            asked += 1
    assert asked >= 2


@pytest.mark.parametrize("objective", [0, 1])
def test_every_window_that_is_offered_has_a_burn_rate(live: Rehearsal, objective: int) -> None:
    for window in variables.WINDOWS.options:
        given = {places.WINDOW_VARIABLE: window, "job": "orders"}
        title, errors = "How fast is the budget spent?", live.windows["errors"]
        assert live.prometheus.panel("incident", title, objective, errors, given), window


def test_which_route_is_slow(live: Rehearsal) -> None:
    found = live.incident("Which routes are slow or fail?", "slow_dependency", job="orders")
    worst = max(found, key=lambda series: series.last)
    assert worst.labels["http_route"] == "/api/v1/orders"
    assert worst.last >= SlowCharges.seconds
    (well,) = (
        each
        for each in live.incident("Which routes are slow or fail?", "healthy", job="orders")
        if each.labels == worst.labels
    )
    assert well.last < worst.last


@pytest.mark.parametrize("fault", ALERTS)
def test_the_alert_of_each_fault_stands_first_with_its_beginning(
    live: Rehearsal, fault: str
) -> None:
    window = live.windows[fault]
    fires, since = (live.alert(ALERTS[fault], fault, nth) for nth in (0, 1))
    assert fires == 1
    assert window.began <= since / 1000 <= window.ended


def test_is_it_a_few_requests_or_all(live: Rehearsal) -> None:
    title, objective = "How long do requests take?", slo.DEFAULTS.objectives.latency
    half, tail = (live.incident(title, "slow_tail", nth, job="orders")[0].points for nth in (0, 2))
    # Each few seconds hold few slow requests, or none.
    assert max(value for _, value in half) < objective < max(value for _, value in tail)


def test_since_when(live: Rehearsal) -> None:
    """The graph beside the alert shows that moment too."""
    window = live.windows["errors"]
    (line,) = live.incident("Which share of the requests fails?", "errors", job="orders")
    crossed = next(at for at, value in line.points if value > slo.DEFAULTS.errors.ratio)
    assert window.began <= crossed <= live.alert("HighErrorRatio", "errors", 1) / 1000


def test_which_line_blocks_the_loop(live: Rehearsal) -> None:
    lines, first = inspect.getsourcelines(blocked_loop.render_price_list)
    number = first + next(nth for nth, line in enumerate(lines) if "time.sleep" in line)
    found = live.incident("Which line of code blocks the event loop?", "blocked_loop")
    worst = max(found, key=lambda series: series.last)
    assert worst.labels["culprit"] == f"blocked_loop.py:{number} render_price_list"
    assert worst.labels["http_route"].startswith("/api/v1/products")
    assert worst.labels["job"] == "orders"
    title, window = "Does it block the event loop, and where?", live.windows["blocked_loop"]
    counted = live.prometheus.panel("route", title, 1, window)
    (times,) = (each.last for each in counted if each.labels == worst.labels)
    assert worst.last / times == pytest.approx(blocked_loop.BlockedLoop.seconds, rel=0.3)


def test_which_dependency_fails(live: Rehearsal) -> None:
    found = live.incident("Which dependency fails?", "bad_release", job="orders")
    failed = {series.labels["server_address"]: series.last for series in found}
    assert failed == {PROVIDER: 1, "127.0.0.1": 0}


def test_is_the_pool_dry(live: Rehearsal) -> None:
    assert live.level(SIGNS["exhausted_pool"], "exhausted_pool") == 1
    assert live.level(SIGNS["exhausted_pool"], "healthy") < 1


def test_are_threads_dry(live: Rehearsal) -> None:
    assert live.level(SIGNS["exhausted_threads"], "exhausted_threads") == 1
    assert live.level(SIGNS["exhausted_threads"], "healthy") < 1


@pytest.mark.parametrize("window", ["healthy", *FAULTS, "fewer_requests", "bad_release"])
def test_each_cause_shows_when_it_is_there_and_only_then(live: Rehearsal, window: str) -> None:
    shown = {cause for cause, sign in SIGNS.items() if live.level(sign, window) >= sign.limit}
    assert shown == {window} & set(SIGNS)


def test_is_it_one_instance(live: Rehearsal) -> None:
    found = live.incident("Is it one instance?", "bad_release", job="orders")
    slowest = {series.labels["instance"]: series.last for series in found}
    assert len(slowest) == 2
    assert max(slowest, key=lambda instance: slowest[instance]) == live.second
    assert slowest[live.second] >= SlowTail.seconds
    released = live.incident("What was released, and when?", "bad_release", job="orders")
    assert VERSION in {series.labels.get("service_version") for series in released}


@pytest.mark.parametrize(
    ("fault", "nth", "bad", "whole", "objective"),
    [
        ("errors", 0, recorded.ERRORS_5M, recorded.REQUESTS_5M, "availability"),
        ("slow_dependency", 1, recorded.SLOW_5M, recorded.TIMED_5M, "fast"),
    ],
)
def test_how_much_budget_is_left(
    live: Rehearsal,
    fault: str,
    nth: int,
    bad: recorded.Recorded,
    whole: recorded.Recorded,
    objective: str,
) -> None:
    """The number is what a reader of every recorded sample of four weeks would come to."""
    title, window = "How much of the budget is left?", live.windows[fault]

    def shown(at: float) -> float:
        (series,) = live.prometheus.panel(
            "incident", title, nth, Window(at - 60, at), {"job": "orders"}
        )
        return series.last

    def mean(quantity: recorded.Recorded) -> float:
        selector = f'{quantity.at(recorded.SERVICE)}{{job="orders"}}'
        period = slo.DEFAULTS.objectives.period
        (series,) = live.prometheus.samples(selector, period, window.ended)
        return sum(value for _, value in series.points) / len(series.points)

    allowed = 1 - getattr(slo.DEFAULTS.objectives, objective)
    assert shown(window.ended) == pytest.approx(1 - mean(bad) / mean(whole) / allowed, rel=1e-3)
    assert shown(window.ended) < shown(window.began) <= 1


def test_what_changed_against_last_week(live: Rehearsal) -> None:
    title = "Do as many requests come as a week ago?"

    def ratio(window: str) -> float:
        now, then = (
            live.incident(title, window, nth, job="orders")[0].points[-1] for nth in (0, 1)
        )
        assert then[1] == pytest.approx(shape.rate(then[0]), rel=0.3)
        return now[1] / then[1]

    assert ratio("fewer_requests") == pytest.approx(LESS_LOAD, rel=0.35)
    assert ratio("fewer_requests") < 0.8 * ratio("healthy")


def test_is_the_telemetry_alive(live: Rehearsal) -> None:
    def alive(window: str) -> dict[str, float]:
        found = live.incident("Is the telemetry alive?", window)
        # The last scrape of what was frozen ends when it goes on.
        return {each.labels["job"]: median(value for _, value in each.points) for each in found}

    watched = ("otel-collector", "prometheus", "jaeger", "alertmanager")
    assert alive("healthy") == dict.fromkeys(watched, 1)
    assert alive("frozen") == {**dict.fromkeys(watched, 1), "jaeger": 0}


def test_names_and_labels_are_those_that_programs_expose(live: Rehearsal) -> None:
    """`test_rules` compares with the contract; this, with what really runs."""
    stored = live.prometheus.values("__name__", '{__name__=~".+"}', live.windows["bad_release"])
    shown = exposed.Exposed(exposed.labels(live.exposed.values()), stored)
    assert not exposed.UNTIL_LOST.keys() & shown.known.keys()
    for name in DASHBOARDS:
        strange = {each: shown.strange(each) for each in expressions(load(name))}
        assert not any(strange.values()), strange


@pytest.mark.parametrize("board", boards.ALL, ids=lambda board: board.name)
def test_a_legend_names_labels_that_its_lines_have(live: Rehearsal, board: Board) -> None:
    """A label that every line lacks leaves a gap in their names; of two in one word, one is had."""
    for panel in board.panels:
        for nth, query in enumerate(panel.queries):
            window = live.windows[speaking(panel.title, query.legend, WINDOWS)]
            found = live.prometheus.panel(board.name, panel.title, nth, window)
            carried = set().union(*(set(series.labels) for series in found))
            for word in re.findall(r"(?:{{\w+}})+", query.legend):
                assert carried & set(re.findall(r"\w+", word)), (panel.title, word)


def test_a_dashboard_costs_little_and_the_page_says_how_much(
    live: Rehearsal, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "dashboards.md"
    page.write_text(PAGE.read_text())
    arguments = ("--prometheus", live.prometheus.url, "--scrape", str(SCRAPE))
    end = ("--to", f"{live.ended:.3f}")
    assert main(["cost", *arguments, *end, "--write", str(page)]) == 0
    table = capsys.readouterr().out
    with capsys.disabled():
        sys.stdout.write(f"\n{table}")
    assert table in page.read_text()
    rows = prices(table)
    assert set(rows) == {board.title for board in boards.ALL}
    for queries, series, samples in rows.values():
        assert 0 < queries <= MOST_QUERIES
        assert 0 < series < samples


def test_a_snapshot_holds_what_fired_the_culprit_and_the_slowest_traces(
    live: Rehearsal, tmp_path: Path
) -> None:
    out = tmp_path / "report.html"
    span = (live.windows["errors"].began, live.windows["blocked_loop"].ended)
    arguments = (
        *("--prometheus", live.prometheus.url, "--jaeger", live.url("JAEGER_QUERY_PORT")),
        *("--from", f"{span[0]}", "--to", f"{span[1]}", "--scrape", str(SCRAPE)),
        *("--var", "job=orders", "--out", str(out)),
    )
    assert main(["snapshot", "incident", *arguments]) == 0
    page = out.read_text()
    body = page[page.index("<body>") :].replace("<wbr>", "")
    assert "blocked_loop.py:" in body
    assert "HighErrorRatio" in body
    assert "/trace/" in body
    graphs = sum(isinstance(panel, Graph) for panel in BOARDS["incident"].panels)
    assert body.count('<div class="chart">') == graphs
    assert 'src="http' not in page
