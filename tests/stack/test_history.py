"""The simulated past: its traffic, its latencies, and what is recorded of it."""

import math
import random
import statistics
from collections.abc import Iterator
from itertools import pairwise

import pytest

from demo_service import shape
from instrumentation.contract import recorded, slo
from instrumentation.contract.buckets import DENSE
from instrumentation.contract.metrics import HTTP_SERVER_REQUEST_DURATION
from stack.history.latency import mean, quantile, shares
from stack.history.raw import RawSeries
from stack.history.recordings import LEFT_OUT, RecordedSeries
from stack.history.series import environment_name, spell
from stack.history.traffic import STEP_SECONDS, Simulation, poisson

START = 1_790_000_040
INSTANCES = {"orders": "127.0.0.1:8000", "payments": "127.0.0.1:8001"}


def parse(lines: Iterator[str]) -> dict[str, float]:
    """Values by series."""
    fields = (line.rsplit(" ", 2) for line in lines)
    return {series: float(value) for series, value, _ in fields}


@pytest.mark.parametrize("kind", shape.MIX)
def test_every_request_falls_into_a_bucket(kind: shape.Traffic) -> None:
    assert len(shares(kind)) == len(DENSE) + 1
    assert sum(shares(kind)) == pytest.approx(1)
    assert min(shares(kind)) >= 0


def test_quantiles_of_the_buckets_are_those_of_the_law() -> None:
    counts = [round(1_000_000 * share) for share in shares(shape.LIST_PRODUCTS)]
    median = math.exp(shape.LIST_PRODUCTS.mu)
    assert quantile(0.5, counts) == pytest.approx(median, rel=0.1)
    assert mean(shape.LIST_PRODUCTS) > median


def test_a_quantile_is_interpolated_within_its_bucket() -> None:
    assert quantile(0.5, [0, 10, 0], (0.1, 0.3)) == pytest.approx(0.2)
    assert quantile(0.25, [10, 10, 0], (0.1, 0.3)) == pytest.approx(0.05)
    assert quantile(0.99, [1, 0, 9], (0.1, 0.3)) == 0.3
    assert quantile(0.5, [0, 0, 0], (0.1, 0.3)) is None


@pytest.mark.parametrize("expected", [0.02, 3.0, 11.9, 12.1, 400.0])
def test_a_poisson_number_has_its_mean_for_its_variance(expected: float) -> None:
    chance = random.Random(1)
    drawn = [poisson(expected, chance) for _ in range(20_000)]
    assert min(drawn) >= 0
    assert statistics.fmean(drawn) == pytest.approx(expected, rel=0.1)
    assert statistics.variance(drawn) == pytest.approx(expected, rel=0.1)


def test_the_traffic_has_the_shape_of_the_load_generator() -> None:
    simulation = Simulation(START)
    orders = simulation.groups[0]
    for _ in range(60):
        simulation.advance()
    requests, errors = orders.rates(3600)
    assert requests == pytest.approx(shape.rate(simulation.at - 1800), rel=0.03)
    assert errors == 0


def test_failed_requests_are_counted_apart() -> None:
    broken = shape.LIST_PRODUCTS._replace(status=503, weight=0.5)
    service, route = Simulation(START, [broken, shape.LIST_PRODUCTS]).groups
    requests, errors = service.rates(3600)
    assert 0 < errors < requests
    assert route.rates(3600) == (requests, errors)


def test_a_service_is_the_sum_of_its_routes() -> None:
    groups = Simulation(START).groups
    for service in (group for group in groups if group.level is recorded.SERVICE):
        routes = [g for g in groups if g.level is recorded.ROUTE and g.job == service.job]
        durations = [group.durations(int(slo.DEFAULTS.tail.window)) for group in routes]
        assert service.durations(600) == [sum(counts) for counts in zip(*durations, strict=True)]
        assert service.requests == sum(group.requests for group in routes)
        # Refused requests are counted, and their durations are not judged.
        assert 0.9 * service.requests < sum(service.buckets) <= service.requests


def test_two_stacks_see_the_same_past() -> None:
    assert Simulation(START).groups[0].buckets == Simulation(START).groups[0].buckets


def test_raw_counters_only_grow_and_buckets_are_cumulative() -> None:
    simulation = Simulation(START)
    raw = [RawSeries(counter, INSTANCES, "demo") for counter in simulation.counters]
    before: dict[str, float] = {}
    for _ in range(30):
        for series in raw:
            now = parse(series.lines(simulation.at))
            buckets = [value for name, value in now.items() if "_bucket" in name]
            assert all(lower <= upper for lower, upper in pairwise(buckets))
            (count,) = (value for name, value in now.items() if "_count" in name)
            assert buckets[-1] == count
            assert all(before.get(name, 0) <= value for name, value in now.items())
            before |= now
        simulation.advance()
    assert len(before) == len(shape.MIX) * (len(DENSE) + 3)


def test_raw_series_carry_what_a_scrape_brings() -> None:
    simulation = Simulation(START, [shape.CHARGE])
    lines = RawSeries(simulation.counters[0], INSTANCES, "demo").lines(START)
    assert next(lines).startswith(
        f"{HTTP_SERVER_REQUEST_DURATION.name}_bucket{{"
        'job="payments",instance="127.0.0.1:8001",deployment_environment_name="demo",'
        'http_request_method="POST",http_route="/charges",http_response_status_code="201",'
        'url_scheme="http",le="0.002"} '
    )


def test_everything_recorded_has_a_past_but_what_tells_of_this_moment() -> None:
    simulation = Simulation(START)
    found = [RecordedSeries(group, "demo") for group in simulation.groups]
    names: set[str] = set()
    # What is usual needs a week.
    for _ in range(7 * 86_400 // 120 + 1):
        for series in found:
            values = parse(series.lines(simulation.at))
            assert all(value >= 0 for value in values.values())
            names |= {spelled.partition("{")[0] for spelled in values}
        simulation.at += 2 * STEP_SECONDS
    wanted = {q.at(level) for q in recorded.ALL if q not in LEFT_OUT for level in q.levels}
    assert names == wanted


def test_a_tail_is_recorded_only_where_requests_are_enough() -> None:
    rare = shape.LIST_PRODUCTS._replace(weight=0.01)
    for weight, expected in ((0.01, False), (0.4, True)):
        simulation = Simulation(START, [rare._replace(weight=weight)])
        written = parse(RecordedSeries(simulation.groups[0], "").lines(START))
        assert ('job:http_server_request_duration_seconds:tail10m{job="orders"}' in written) is (
            expected
        )


def test_usual_values_come_from_the_past_alone() -> None:
    simulation = Simulation(START)
    series = RecordedSeries(simulation.groups[0], "demo")
    first = parse(series.lines(START))
    assert not [name for name in first if "_usual" in name]


@pytest.mark.parametrize(
    ("attributes", "name"),
    [
        ("deployment.environment.name=demo", "demo"),
        ("service.version=1, deployment.environment.name = a%20b ,x=y", "a b"),
        ("service.version=1", ""),
        ("", ""),
    ],
)
def test_the_environment_is_that_of_the_services(attributes: str, name: str) -> None:
    assert environment_name(attributes) == name


def test_an_empty_label_is_none() -> None:
    assert spell("x", {"a": "", "b": 'c"d\\'}) == 'x{b="c\\"d\\\\"}'
