"""Plays one trouble after another on the whole stack, and notes when each was on.

Prometheus keeps what it saw, so every test may ask of any of them afterwards, in any order.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, closing
from dataclasses import dataclass
from pathlib import Path

import httpx

from demo_service.receipts.queue import Receipts, create_broker
from drill.demo import Demo
from drill.ports import free_ports
from instrumentation.contract import promql
from stack.environment import REPOSITORY
from stack.options import COMMITTED
from tests.dashboards.asking import Window
from tests.dashboards.rehearsing import Rehearsal, read
from tests.dashboards.second import joined
from tests.stack import running
from tests.stack.running import eventually, started
from tests.stack.test_history_live import make_history
from tests.stack.test_life import listener

SCALE = 10
SCRAPE = 15 / SCALE
FAULTS = (
    *("slow_tail", "errors", "blocked_loop"),
    *("slow_dependency", "exhausted_pool", "exhausted_threads"),
)
"""Those of the demo, each of which is on for one window, alone. Threads come after the pool: what
waited for one asks for a connection in a crowd, which is an alert's beginning too."""
ALERTS = {
    "errors": "HighErrorRatio",
    "blocked_loop": "EventLoopBlocked",
    "slow_dependency": "DependencySlow",
    "exhausted_threads": "ThreadPoolSaturated",
    "exhausted_pool": "ConnectionPoolExhausted",
}
"""What must fire before a window ends. What a slow tail takes for that, the drill shows."""
WINDOWS = (
    *("healthy", *FAULTS),
    *("lost_jobs", "fewer_requests", "frozen", "bad_release"),
)
LESS_LOAD = 0.5
EXPOSED = (
    *("DEMO_PORT", "PAYMENTS_PORT", "RECEIPTS_PORT", "COLLECTOR_METRICS_PORT"),
    *("JAEGER_METRICS_PORT", "PROMETHEUS_PORT", "ALERTMANAGER_PORT"),
)
"""Ports that answer `/metrics`."""
_SCRAPES = 13
_REST = 5
"""More than a rate's window holds, so that a window does not see the one before."""
_LOST_JOBS = 12
_NO_ORDER = 2_000_000_000


@contextlib.contextmanager
def rehearsed(folder: Path) -> Iterator[Rehearsal]:
    """Play everything on a stack with a past, or ask of what was played in the folder before."""
    if before := read(folder):
        with started(folder, before.ports, "--only", "prometheus,jaeger", history=True):
            yield before
        return
    folder.mkdir(parents=True, exist_ok=True)
    rules = [sys.executable, "-m", "alerts", "--scale", str(SCALE), "--out", str(folder / "rules")]
    subprocess.run(rules, cwd=REPOSITORY, check=True)
    ports = running.free_ports()
    make_history(folder, ports)
    arguments = ("--scale", str(SCALE), "--alertmanager-config", str(COMMITTED))
    with started(folder, {**ports, "DEMO_ADMIN": "1"}, *arguments, history=True):
        rehearsal = Rehearsal(ports, SCRAPE)
        with closing(Demo(rehearsal.url("DEMO_PORT"), rehearsal.url("LOAD_PORT"))) as demo:
            try:
                _Play(rehearsal, demo, folder / "data").all()
            finally:
                # Of a play that broke off, the part before may be asked.
                rehearsal.write(folder)
        yield rehearsal


@dataclass(frozen=True)
class _Play:
    """One trouble after another, on a stack that runs."""

    rehearsal: Rehearsal
    demo: Demo
    data: Path

    def all(self) -> None:
        recorded = 'job:http_server_requests:rate5m{job="orders"} > 0'
        self.during("healthy", contextlib.nullcontext(), recorded)
        with _lost_jobs(self.rehearsal):
            for fault in FAULTS:
                self.during(fault, _fault(self.demo, fault), _firing(ALERTS.get(fault)))
        self.during("fewer_requests", _less_load(self.demo))
        frozen = (self.rehearsal.ports[port] for port in ("JAEGER_QUERY_PORT", "REDIS_PORT"))
        self.during("frozen", _frozen(*frozen))
        spare = free_ports(("SECOND", "NOBODY"))
        with joined(self.data, self.rehearsal.ports, spare["SECOND"], spare["NOBODY"]) as second:
            self.bad_release(second)

    def bad_release(self, second: str) -> None:
        self.rehearsal.second = second
        known = f'target_info{{instance="{second}"}}'
        eventually(lambda: self.rehearsal.prometheus.at(known, time.time()), seconds=120)
        self.during("bad_release", contextlib.nullcontext())
        pages = {port: self.rehearsal.url(port) for port in EXPOSED}
        pages["SECOND"] = f"http://{second}"
        self.rehearsal.exposed = {name: _metrics(url) for name, url in pages.items()}
        listed = httpx.get(f"{self.rehearsal.url('DEMO_PORT')}/admin/faults", trust_env=False)
        self.rehearsal.faults = [fault["name"] for fault in listed.raise_for_status().json()]

    def during(self, name: str, trouble: AbstractContextManager[object], until: str = "") -> None:
        """Let a trouble last until it was scraped often enough, and a query answers if given."""
        prometheus = self.rehearsal.prometheus
        began = time.time()
        with trouble:
            self.scraped(began, _SCRAPES)
            if until:
                eventually(lambda: prometheus.at(until, time.time()), seconds=120)
            self.rehearsal.windows[name] = Window(began, time.time())
        self.scraped(time.time(), _REST)

    def scraped(self, since: float, times: int) -> None:
        """Wait until the collector was scraped so often: services may be frozen or slow."""

        def often_enough() -> bool:
            now = time.time()
            span = promql.duration(now - since + 0.001)
            series = f'count_over_time(up{{job="otel-collector"}}[{span}])'
            return any(each.last >= times for each in self.rehearsal.prometheus.at(series, now))

        eventually(often_enough, seconds=120)


def _firing(alert: str | None) -> str:
    chosen = f'alertname="{alert}", alertstate="firing", job="orders"'
    return f"ALERTS{{{chosen}}}" if alert else ""


@contextlib.contextmanager
def _fault(demo: Demo, name: str) -> Iterator[None]:
    demo.switch_fault(name, True)
    try:
        yield
    finally:
        demo.switch_fault(name, False)


@contextlib.contextmanager
def _less_load(demo: Demo) -> Iterator[None]:
    demo.set_load(LESS_LOAD)
    try:
        yield
    finally:
        demo.set_load(1)


@contextlib.contextmanager
def _frozen(*ports: str) -> Iterator[None]:
    """Stop programs where they stand: they listen, and never answer."""
    processes = [listener(port) for port in ports]
    for process in processes:
        os.kill(process, signal.SIGSTOP)
    try:
        yield
    finally:
        for process in processes:
            os.kill(process, signal.SIGCONT)


@contextlib.contextmanager
def _lost_jobs(rehearsal: Rehearsal) -> Iterator[None]:
    """Ask for receipts of an order that does not exist, and wait until nobody tries any more."""
    began = time.time()
    url = f"redis://127.0.0.1:{rehearsal.ports['REDIS_PORT']}/0"
    with closing(Receipts(create_broker(url))) as receipts:
        for _ in range(_LOST_JOBS):
            receipts.ask(_NO_ORDER)
    yield
    given_up = f"sum(task_queue_dead_letters_total) >= {_LOST_JOBS}"
    eventually(lambda: rehearsal.prometheus.at(given_up, time.time()), seconds=120)
    rehearsal.windows["lost_jobs"] = Window(began, time.time())


def _metrics(url: str) -> str:
    accept = {"Accept": "application/openmetrics-text;version=1.0.0,text/plain;q=0.5"}
    answer = httpx.get(f"{url}/metrics", headers=accept, timeout=30, trust_env=False)
    return answer.raise_for_status().text
