"""Durations in a histogram: how they fall into its buckets, and what quantile they give."""

import math
from collections.abc import Sequence
from itertools import pairwise
from statistics import NormalDist

from demo_service.shape import Traffic
from instrumentation.contract.buckets import DENSE


def shares(kind: Traffic, bounds: Sequence[float] = DENSE) -> tuple[float, ...]:
    """Return the share of requests in each bucket; the last one is beyond every bound.

    Args:
        kind: its latency is lognormal.
        bounds: upper bounds of the buckets, in seconds, ascending.
    """
    law = NormalDist(kind.mu, kind.sigma)
    below = [0.0, *(law.cdf(math.log(bound)) for bound in bounds), 1.0]
    return tuple(upper - lower for lower, upper in pairwise(below))


def mean(kind: Traffic) -> float:
    """Return the mean latency in seconds."""
    return math.exp(kind.mu + kind.sigma**2 / 2)


def quantile(q: float, counts: Sequence[int], bounds: Sequence[float] = DENSE) -> float | None:
    """Return the q-quantile in seconds as PromQL's `histogram_quantile` does; None of nothing.

    Args:
        q: from 0 to 1.
        counts: requests in each bucket, one more than there are bounds.
        bounds: upper bounds of the buckets, in seconds, ascending.
    """
    rank = q * sum(counts)
    if rank == 0:
        return None
    lower, below = 0.0, 0
    for upper, count in zip(bounds, counts, strict=False):
        if below + count >= rank:
            return lower + (upper - lower) * (rank - below) / count
        lower, below = upper, below + count
    return bounds[-1]
