"""The demo's traffic while all is well, minute by minute: who asked what, and how long it took."""

import math
import random
import re
from collections import deque
from collections.abc import Iterable
from operator import sub

from demo_service import shape
from demo_service.shape import Traffic
from instrumentation.contract import slo
from instrumentation.contract.buckets import DENSE
from instrumentation.contract.recorded import ROUTE, SERVICE, Level
from stack.history.latency import shares

STEP_SECONDS = 60
LONGEST_WINDOW_SECONDS = 3600

_FIRST_SERVER_ERROR = 500
_LARGE = 12.0
# Less than one request in five weeks.
_SMALLEST_SHARE = 1e-8
# Whoever compares two stacks sees the same traffic at the same minute of their pasts.
_SEED = 36


class Group:
    """The requests of one service, or of one of its routes.

    Args:
        level: what it stands for, which decides its labels.
        kind: any kind of request that belongs to it.
    """

    def __init__(self, level: Level, kind: Traffic) -> None:
        self.level = level
        self.job = kind.job
        self.route = kind.route
        self.buckets = [0] * (len(DENSE) + 1)
        self.requests = 0
        self.errors = 0
        steps = LONGEST_WINDOW_SECONDS // STEP_SECONDS + 1
        self._past: deque[tuple[int, int, list[int]]] = deque(maxlen=steps)

    def keep(self) -> None:
        """Remember how far the counters are at the end of a step."""
        self._past.append((self.requests, self.errors, self.buckets.copy()))

    def rates(self, seconds: int) -> tuple[float, float]:
        """Return the requests a second, and the failed ones, over the last `seconds`."""
        requests, errors, _ = self._past[-1 - seconds // STEP_SECONDS]
        return (self.requests - requests) / seconds, (self.errors - errors) / seconds

    def durations(self, seconds: int) -> list[int]:
        """Return the requests of the last `seconds`, by bucket."""
        _, _, before = self._past[-1 - seconds // STEP_SECONDS]
        return list(map(sub, self.buckets, before))


class Counter:
    """The requests of one kind, by bucket, since the service began."""

    def __init__(self, kind: Traffic, groups: tuple[Group, ...]) -> None:
        self.kind = kind
        self.buckets = [0] * (len(DENSE) + 1)
        self._groups = groups
        # Of a service or a route only those durations are judged that refusing didn't shorten.
        refused = re.fullmatch(slo.REFUSED_STATUS, str(kind.status))
        judging = () if refused else groups
        self._targets = (self.buckets, *(group.buckets for group in judging))
        self._shares = [
            (index, share) for index, share in enumerate(shares(kind)) if share > _SMALLEST_SHARE
        ]

    def advance(self, requests: float, chance: random.Random) -> None:
        """Let about that many requests come.

        Independent Poisson counts of the buckets are a Poisson count of the whole.
        """
        came = 0
        for index, share in self._shares:
            count = poisson(requests * share, chance)
            if count:
                came += count
                for target in self._targets:
                    target[index] += count
        for group in self._groups:
            group.requests += came
            if self.kind.status >= _FIRST_SERVER_ERROR:
                group.errors += came


class Simulation:
    """Every counter of the demo, together.

    Args:
        mix: the kinds of requests.
        start: Unix time in seconds; the counters begin an hour before, so that each window that
            ends at the start or later is full.
    """

    def __init__(self, start: int, mix: Iterable[Traffic] = shape.MIX) -> None:
        self.at = start - LONGEST_WINDOW_SECONDS
        self._chance = random.Random(_SEED)  # noqa: S311 - nothing secret comes from it
        services: dict[str, Group] = {}
        routes: dict[tuple[str, str], Group] = {}
        self.counters = tuple(
            Counter(
                kind,
                (
                    services.setdefault(kind.job, Group(SERVICE, kind)),
                    routes.setdefault((kind.job, kind.route), Group(ROUTE, kind)),
                ),
            )
            for kind in mix
        )
        self.groups = (*services.values(), *routes.values())
        self._keep()
        while self.at < start:
            self.advance()

    def advance(self) -> None:
        """Go on by one step."""
        requests = shape.rate(self.at + STEP_SECONDS / 2) * STEP_SECONDS
        for counter in self.counters:
            counter.advance(requests * counter.kind.weight, self._chance)
        self.at += STEP_SECONDS
        self._keep()

    def _keep(self) -> None:
        for group in self.groups:
            group.keep()


def poisson(mean: float, chance: random.Random) -> int:
    """Draw a Poisson number: Knuth's product of uniform numbers, the normal law for large means."""
    if mean > _LARGE:
        return max(0, round(chance.gauss(mean, math.sqrt(mean))))
    limit = math.exp(-mean)
    count = 0
    product = chance.random()
    while product > limit:
        count += 1
        product *= chance.random()
    return count
