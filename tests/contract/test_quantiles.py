"""What is promised of quantiles holds for the contract's buckets, and for Prometheus itself."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
import yaml

from instrumentation.contract.buckets import DENSE
from instrumentation.contract.promql import bound
from stack.binaries import binary
from tests.contract import quantiles
from tests.contract.quantiles import OTHERS, PROMISED, QUANTILES, Law


@pytest.mark.parametrize("law", PROMISED, ids=lambda law: law.name)
@pytest.mark.parametrize("q", QUANTILES)
def test_quantiles_are_within_ten_per_cent(q: float, law: Law) -> None:
    found = quantiles.errors(q, law)
    assert len(found) > 100
    assert max(map(abs, found)) <= 0.1


@pytest.mark.parametrize("law", [*PROMISED, *OTHERS], ids=lambda law: law.name)
@pytest.mark.parametrize("q", QUANTILES)
def test_quantiles_are_never_off_by_more_than_their_bucket(q: float, law: Law) -> None:
    for scale in (0.003, 0.04, 0.5, 3.0, 20.0):
        distribution = law.at(scale)
        truth, found = quantiles.true_quantile(q, distribution), quantiles.estimate(q, distribution)
        lower = max((limit for limit in DENSE if limit < truth), default=0.0)
        upper = min((limit for limit in DENSE if limit >= truth), default=DENSE[-1])
        assert lower * 0.999 <= found <= upper * 1.001


def test_prometheus_estimates_as_the_table_does(tmp_path: Path) -> None:
    law = quantiles.lognormal(0.5).at(0.08)
    series = [
        {"series": f'requests_bucket{{le="{bound(limit)}"}}', "values": f"{law(limit):.17g}"}
        for limit in DENSE
    ]
    series.append({"series": 'requests_bucket{le="+Inf"}', "values": "1"})
    asked = [
        {
            "expr": f"abs(histogram_quantile({q}, requests_bucket)"
            f" / {quantiles.estimate(q, law):.17g} - 1) < bool 1e-9",
            "eval_time": "0m",
            "exp_samples": [{"labels": "{}", "value": 1}],
        }
        for q in QUANTILES
    ]
    path = tmp_path / "test.yml"
    tests = [{"interval": "1m", "input_series": series, "promql_expr_test": asked}]
    path.write_text(yaml.safe_dump({"tests": tests}))
    done = subprocess.run(
        [binary("promtool"), "test", "rules", path], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_page_holds_the_table() -> None:
    text = quantiles.PAGE.read_text()
    assert text == quantiles.page(text)
