"""Names that are sent over OTLP are OpenTelemetry's, and come back as the contract's."""

from __future__ import annotations

import re
from typing import Any

import pytest
from opentelemetry.metrics import NoOpMeter
from opentelemetry.semconv._incubating.metrics import db_metrics, http_metrics

from instrumentation.contract import metrics, otel
from instrumentation.contract.metrics import Metric

SUFFIXES = {"s": "_seconds", "By": "_bytes"}


def as_prometheus(name: str, unit: str, *, is_counter: bool) -> str:
    """How a Prometheus that receives OTLP spells a name: escaped, with its unit and `_total`."""
    spelled = re.sub(r"[^a-zA-Z0-9]", "_", name)
    suffix = SUFFIXES.get(unit, "")
    if not spelled.endswith(suffix):
        spelled += suffix
    return spelled + "_total" if is_counter else spelled


def family(metric: Metric) -> str:
    return metric.name.removesuffix("_total")


@pytest.mark.proves("Processes", "pushed names and units are OpenTelemetry's")
@pytest.mark.parametrize("metric", metrics.ALL, ids=lambda metric: metric.name)
def test_every_name_comes_back_as_it_was(metric: Metric) -> None:
    name, unit = otel.name_and_unit(family(metric))
    assert as_prometheus(name, unit, is_counter=metric.kind == "counter") == metric.name


class Recorded(NoOpMeter):
    """Keeps the unit and kind of every instrument that the conventions' package makes."""

    def __init__(self) -> None:
        super().__init__("conventions")
        self.made: dict[str, tuple[str, str]] = {}

    def __getattribute__(self, name: str) -> Any:
        kind = re.fullmatch(r"create_(counter|histogram|up_down_counter)", name)
        if not kind:
            return super().__getattribute__(name)

        def create(name: str, unit: str = "", description: str = "", **_: Any) -> None:
            self.made[name] = (unit, kind[1])

        return create


def conventions() -> dict[str, tuple[str, str]]:
    meter = Recorded()
    for module in (http_metrics, db_metrics):
        for name, create in vars(module).items():
            if name.startswith("create_"):
                create(meter)
    return meter.made


KINDS = {"counter": "counter", "histogram": "histogram"}
CONVENTIONAL = [
    metric
    for metric in metrics.ALL
    if metric.name.startswith(("http_", "db_"))
    # Ours: the conventions know neither.
    and metric not in (metrics.HTTP_SERVER_ABORTED_REQUESTS, metrics.HTTP_CLIENT_RETRIES)
]


@pytest.mark.proves("Processes", "pushed names and units are OpenTelemetry's")
@pytest.mark.parametrize("metric", CONVENTIONAL, ids=lambda metric: metric.name)
def test_names_units_and_kinds_are_those_of_the_conventions(metric: Metric) -> None:
    name, unit = otel.name_and_unit(family(metric))
    kind = "up_down_counter" if otel.adds_up(metric.name) else metric.kind
    assert conventions()[name] == (unit, kind)


def test_attributes_have_the_names_and_types_of_the_conventions() -> None:
    assert otel.attribute("http_response_status_code", "200") == ("http.response.status_code", 200)
    assert otel.attribute("http_response_status_code", "_overflow")[1] == "_overflow"
    assert otel.attribute("error_type", "ValueError") == ("error.type", "ValueError")
    assert otel.attribute("queue_name", "x") == ("queue_name", "x")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("job_duration_seconds", ("job_duration_seconds", "s")),
        ("process_resident_memory_bytes", ("process_resident_memory_bytes", "By")),
        ("widgets", ("widgets", "")),
    ],
)
def test_a_name_of_the_users_stays(name: str, expected: tuple[str, str]) -> None:
    assert otel.name_and_unit(name) == expected
