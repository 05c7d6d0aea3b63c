"""How far `histogram_quantile` is off with the contract's buckets.

The estimate of infinitely many requests is compared with the law's own quantile, for laws whose
scale runs over the whole range. What chance adds with few requests is no matter of buckets.
`python -m tests.contract.quantiles` writes the table of docs/quantiles.md.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import NormalDist
from typing import Final

import numpy as np

from commandline import pages
from instrumentation.contract.buckets import DENSE

PAGE: Final = Path("docs/quantiles.md")
BEGIN: Final = "<!-- table -->"
END: Final = "<!-- end of table -->"
QUANTILES: Final = (0.5, 0.95, 0.99)
SMALLEST: Final = DENSE[0]
LARGEST: Final = 60.0
"""Quantiles between these two are judged: below the first bound nothing is known but that."""

Distribution = Callable[[float], float]


@dataclass(frozen=True)
class Law:
    """A shape of latencies; `at(scale)` is its distribution function, scale in seconds."""

    name: str
    at: Callable[[float], Distribution]


def lognormal(sigma: float) -> Law:
    normal = NormalDist()

    def at(scale: float) -> Distribution:
        return lambda x: normal.cdf(math.log(x / scale) / sigma) if x > 0 else 0.0

    return Law(f"lognormal, σ {sigma:g}", at)


def exponential() -> Law:
    return Law("exponential", lambda scale: lambda x: 1 - math.exp(-x / scale))


def bimodal(share: float, distance: float) -> Law:
    """A share of the requests takes `distance` times as long; both modes are lognormal, σ 0.3."""
    mode = lognormal(0.3).at

    def at(scale: float) -> Distribution:
        fast, slow = mode(scale), mode(scale * distance)
        return lambda x: (1 - share) * fast(x) + share * slow(x)

    return Law(f"bimodal, {share:.1%} take {distance:g} × as long", at)


PROMISED: Final = (*(lognormal(sigma) for sigma in (0.3, 0.5, 0.8, 1.2, 2)), exponential())
"""Within 10 %."""
OTHERS: Final = (
    lognormal(0.1),
    bimodal(0.3, 10),
    bimodal(0.1, 10),
    bimodal(0.03, 30),
    bimodal(0.005, 30),
)
"""Within a bucket."""


def true_quantile(q: float, law: Distribution) -> float:
    """Find where a distribution function reaches q."""
    low, high = 1e-5, 1e5
    for _ in range(100):
        middle = math.sqrt(low * high)
        low, high = (middle, high) if law(middle) < q else (low, middle)
    return high


def estimate(q: float, law: Distribution) -> float:
    """Interpolate within a bucket, as PromQL does."""
    lower, below = 0.0, 0.0
    for upper in DENSE:
        share = law(upper)
        if share >= q:
            return lower + (upper - lower) * (q - below) / (share - below)
        lower, below = upper, share
    return DENSE[-1]


def errors(q: float, law: Law) -> list[float]:
    """Relative errors for scales of the whole range, where the true quantile is judged."""
    found = []
    for scale in np.geomspace(SMALLEST / 20, LARGEST, 600).tolist():
        distribution = law.at(scale)
        truth = true_quantile(q, distribution)
        if SMALLEST <= truth <= LARGEST:
            found.append(estimate(q, distribution) / truth - 1)
    return found


def table() -> str:
    """Return the largest errors as a Markdown table."""
    lines = ["| latencies | p50 | p95 | p99 |", "|---|---|---|---|"]
    for law in (*PROMISED, *OTHERS):
        cells = (errors(q, law) for q in QUANTILES)
        spelled = " | ".join(f"{min(each):+.1%} to {max(each):+.1%}" for each in cells)
        lines.append(f"| {law.name} | {spelled} |")
    return "\n".join(lines)


def page(text: str) -> str:
    """Return the page with its table made anew."""
    before, after = pages.around(text, BEGIN, END)
    return f"{before}\n\n{table()}\n\n{after}"


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text()))
