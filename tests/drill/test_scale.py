"""What one factor shortens, it shortens alike."""

from datetime import timedelta

import promql_parser
import pytest
import yaml

from alerts import generate
from instrumentation.contract import slo
from stack.render import prometheus_config


def ranges(node: object) -> list[timedelta]:
    """Every range selector's length in an expression."""
    found = [node.range] if isinstance(node, promql_parser.MatrixSelector) else []
    children = [getattr(node, name, None) for name in ("expr", "lhs", "rhs")]
    for child in [*children, *(getattr(node, "args", None) or ())]:
        if child:
            found += ranges(child)
    return found


def scrape_interval(factor: float) -> timedelta:
    config = yaml.safe_load(prometheus_config(factor))
    text: str = config["global"]["scrape_interval"]
    if text.endswith("ms"):
        return timedelta(milliseconds=float(text.removesuffix("ms")))
    return timedelta(seconds=float(text.removesuffix("s")))


@pytest.mark.parametrize("factor", [1, 3, 10])
def test_every_range_holds_at_least_four_scrapes(factor: float) -> None:
    shortest = slo.MIN_SCRAPES_IN_WINDOW * scrape_interval(factor)
    lengths = [
        length
        for group in generate.groups(slo.DEFAULTS.scaled(factor))
        for rule in group.rules
        for length in ranges(promql_parser.parse(rule.expression))
    ]
    assert len(lengths) > 10
    assert min(lengths) >= shortest


def test_scrapes_become_as_frequent_as_the_rules_are_evaluated() -> None:
    for factor in (1, 10):
        seconds = scrape_interval(factor).total_seconds()
        assert seconds == slo.SCRAPE_INTERVAL_SECONDS / factor
        assert seconds == slo.DEFAULTS.scaled(factor).intervals.evaluation
