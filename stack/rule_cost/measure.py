"""Runs one Prometheus over a fleet of one size, and notes what its rules take."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import Final

from stack.console import Progress
from stack.errors import StackError
from stack.rule_cost import past
from stack.rule_cost.evaluations import Cost, Evaluations
from stack.rule_cost.fleet import STEP_SECONDS, Fleet
from stack.rule_cost.processors import Processors
from stack.rule_cost.reads import Rules
from stack.rule_cost.server import Server

_LEAST_EVALUATIONS: Final = 5
_PATIENCE_STEPS: Final = 60
_ROUNDS: Final = 3
_RAW: Final = 'count({__name__=~"http_server_request_duration_seconds_.*"})'
_RECORDED: Final = 'count({__name__=~"job.*:.*"})'


def measure(size: int, folder: Path, concurrent: int = 0) -> Cost:
    """Run a Prometheus over about so many raw series, and read how long its groups take.

    Args:
        size: raw series.
        folder: where the rule files are.
        concurrent: how many rules of a group may be evaluated at once, 0 for Prometheus' default.

    Raises:
        StackError: Prometheus or promtool failed.
    """
    fleet, rules = Fleet.of(size), Rules(folder)
    step = Progress(f"rule-cost: {size:,} series")
    with tempfile.TemporaryDirectory(prefix="rule-cost-") as work:
        steps = past.steps_fed(rules)
        # What is fed afterwards is newer than every block, or it would be stored as late.
        begin = int(time.time()) // STEP_SECONDS * STEP_SECONDS - steps * STEP_SECONDS
        samples = past.write(Path(work) / "data", fleet, rules, begin)
        step.beat(f"{samples:,} samples of past")
        with Server(Path(work), folder, concurrent) as server:
            feed = _Feed(server, fleet, begin, step)
            evaluations, others, stored = _watch(feed, server)
            step.beat("evaluating each rule once more, alone")
            cost = evaluations.cost(
                series=int(server.value(_RAW)),
                recorded=int(server.value(_RECORDED)),
                cpu=_alone(server, rules, feed.newest),
                cycle_cpu=stored,
                others=others,
            )
            step.done("measured")
            return cost


class _Feed:
    """Sends one step after another, first those that are past as fast as they are taken."""

    def __init__(self, server: Server, fleet: Fleet, begin: int, progress: Progress) -> None:
        self._server, self._fleet, self._begin = server, fleet, begin
        self._progress = progress
        self._step = 0

    @property
    def newest(self) -> int:
        """Unix time of the step that was sent last."""
        return self._begin + (self._step - 1) * STEP_SECONDS

    def catch_up(self) -> None:
        """Send all steps that are due by now.

        Raises:
            StackError: sending one takes longer than the time from one to the next.
        """
        last = self._step + _PATIENCE_STEPS
        while self.newest + STEP_SECONDS <= time.time():
            if self._step == last:
                raise StackError("this machine stores the samples more slowly than they come")
            for message in self._fleet.requests(self._step, self.newest + STEP_SECONDS):
                self._server.push(message)
            self._progress.beat(f"step {self._step} fed")
            self._step += 1

    def wait(self) -> None:
        """Wait until the next step is due, and send it."""
        time.sleep(max(0, self.newest + STEP_SECONDS - time.time()))
        self.catch_up()


def _watch(feed: _Feed, server: Server) -> tuple[Evaluations, float, float]:
    """Note evaluations until each group had some; also others' share of the processors, and ours.

    Ours is told in seconds of processor time for a cycle, with storing what is fed.
    """
    feed.catch_up()
    # One more, for what was evaluated meanwhile read half a past.
    feed.wait()
    evaluations, processors = Evaluations(time.time()), Processors(server)
    for _ in range(_PATIENCE_STEPS):
        feed.wait()
        evaluations.note(server.groups())
        if evaluations.complete(_LEAST_EVALUATIONS):
            return evaluations, processors.others(), processors.used()
    raise StackError("not every group of rules was evaluated within a quarter of an hour")


def _alone(server: Server, rules: Rules, at: int) -> float:
    """Return the processor time that all expressions take, each evaluated while nothing else is."""
    server.stop_rules()
    before = server.cpu_seconds()
    for _ in range(_ROUNDS):
        for expression in rules.expressions:
            # What it returns is none of its cost.
            server.value(f"count({expression})", at)
    return (server.cpu_seconds() - before) / _ROUNDS
