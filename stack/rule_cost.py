"""Measures what the rules cost: `python -m stack.rule_cost`.

A Prometheus of its own is given synthetic request histograms over OTLP, first eleven minutes of
past, so that every window of the raw buckets is full, then a scrape's worth every 15 s, while it
evaluates the committed rules. Windows of an hour are full to a fifth; what they read of the raw
series is a fiftieth.
"""

from __future__ import annotations

import argparse
import json
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.parse
import urllib.request
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import psutil
import yaml
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
)
from opentelemetry.proto.metrics.v1.metrics_pb2 import AggregationTemporality

from instrumentation.contract.buckets import DENSE
from stack.binaries import binary
from stack.console import say
from stack.environment import REPOSITORY

if TYPE_CHECKING:
    from collections.abc import Iterator

SIZES: Final = (25_000, 100_000, 400_000)
LIMIT_SECONDS: Final = 3.0
STEP_SECONDS: Final = 15
PAST_STEPS: Final = 44
LIVE_STEPS: Final = 6
RULES: Final = REPOSITORY / "alerts" / "generated"

_ROUTES: Final = 40
_STATUSES: Final = ("200", "404", "500")
_INSTANCES: Final = 5
_SERIES: Final = len(DENSE) + 3
_REQUESTS_A_STEP: Final = 30
_USUAL_BUCKETS: Final = range(10, 15)
"""All is well, as on most days: the texts of alerts that fire are no cost of the rules."""
_CYCLES: Final = 4


@dataclass(frozen=True)
class Cost:
    """What one size costs.

    Args:
        series: raw series, as Prometheus counts them.
        recorded: series that the rules write.
        cycle: seconds that the rules take in a cycle of 15 s, on average: most are due each minute.
        peak: seconds that all groups take together, when all are due at once.
        cpu: seconds of processor time in every 15 s; less than the other two on a busy machine.
        slowest: the group that takes longest, and its seconds.
    """

    series: int
    recorded: int
    cycle: float
    peak: float
    cpu: float
    slowest: tuple[str, float]


def main(arguments: list[str] | None = None) -> int:
    """Measure each size; the exit code is 1 where the largest exceeds the limit."""
    parser = argparse.ArgumentParser(prog="python -m stack.rule_cost", description=__doc__)
    parser.add_argument("--sizes", type=_sizes, default=SIZES, help="raw series, with commas")
    sizes = parser.parse_args(arguments).sizes
    say("| series in | series out | s a cycle of 15 s | all at once | CPU | slowest group |")
    say("|---|---|---|---|---|---|")
    costs = []
    for size in sizes:
        cost = measure(size)
        costs.append(cost)
        say(
            f"| {cost.series:,} | {cost.recorded:,} | {cost.cycle:.2f} | {cost.peak:.2f} | "
            f"{cost.cpu:.2f} | "
            f"{cost.slowest[0]}, {cost.slowest[1]:.2f} s |"
        )
    for before, after in pairwise(costs):
        slope = (after.cycle - before.cycle) / (after.series - before.series) * 100_000
        say(f"slope: {slope:.2f} s a cycle for each 100,000 series more")
    if costs[-1].cycle > LIMIT_SECONDS:
        sys.stderr.write(
            f"rule-cost: {costs[-1].cycle:.2f} s a cycle, more than {LIMIT_SECONDS:g} s\n"
        )
        return 1
    return 0


def measure(size: int) -> Cost:
    """Run a Prometheus over about so many series, and read how long its groups took."""
    with tempfile.TemporaryDirectory(prefix="rule-cost-") as work:
        folder = Path(work)
        port = _free_port()
        process = _start(folder, port)
        try:
            _push_all(port, size)
            return _read(port, psutil.Process(process.pid))
        finally:
            process.terminate()
            process.wait(30)


def _start(folder: Path, port: int) -> subprocess.Popen[bytes]:
    for path in RULES.glob("*.yml"):
        shutil.copy(path, folder)
    config = {
        "global": {"evaluation_interval": f"{STEP_SECONDS}s"},
        "storage": {"tsdb": {"out_of_order_time_window": "2h"}},
        "otlp": {"promote_resource_attributes": ["deployment.environment.name"]},
        "rule_files": [str(path) for path in folder.glob("*.yml")],
        "scrape_configs": [],
    }
    path = folder / "prometheus.yaml"
    path.write_text(yaml.safe_dump(config))
    address = f"127.0.0.1:{port}"
    process = subprocess.Popen(  # noqa: S603 - our own program
        [
            binary("prometheus"),
            f"--config.file={path}",
            f"--storage.tsdb.path={folder / 'data'}",
            f"--web.listen-address={address}",
            "--web.enable-otlp-receiver",
        ],
        stdout=subprocess.DEVNULL,
        stderr=(folder / "log").open("wb"),
    )
    for _ in range(300):
        if process.poll() is not None:
            raise RuntimeError(f"prometheus ended: {(folder / 'log').read_text()[-500:]}")
        try:
            urllib.request.urlopen(f"http://{address}/-/ready", timeout=1).close()
        except OSError:
            time.sleep(0.1)
        else:
            return process
    process.kill()
    raise RuntimeError("prometheus was not ready within 30 s")


def _push_all(port: int, size: int) -> None:
    begin = time.time() - PAST_STEPS * STEP_SECONDS
    instances = max(1, round(size / (_ROUTES * len(_STATUSES) * _SERIES)))
    for step in range(PAST_STEPS + LIVE_STEPS):
        at = begin + step * STEP_SECONDS
        time.sleep(max(0, at - time.time()))
        for instance in range(instances):
            _push(port, instance, step, at)


def _push(port: int, instance: int, step: int, at: float) -> None:
    request = _request(instance, step, at)
    call = urllib.request.Request(
        f"http://127.0.0.1:{port}/api/v1/otlp/v1/metrics",
        data=request.SerializeToString(),
        headers={"Content-Type": "application/x-protobuf"},
    )
    urllib.request.urlopen(call, timeout=60).close()  # noqa: S310 - loopback


def _request(instance: int, step: int, at: float) -> ExportMetricsServiceRequest:
    """Put one scrape of one instance together: 40 routes with 3 statuses each."""
    request = ExportMetricsServiceRequest()
    resource = request.resource_metrics.add()
    for key, value in (
        ("service.name", f"service-{instance // _INSTANCES}"),
        ("service.instance.id", str(instance)),
        ("deployment.environment.name", "cost"),
    ):
        resource.resource.attributes.add(key=key).value.string_value = value
    metric = resource.scope_metrics.add().metrics.add(name="http.server.request.duration", unit="s")
    metric.histogram.aggregation_temporality = (
        AggregationTemporality.AGGREGATION_TEMPORALITY_CUMULATIVE
    )
    for route, status in _combinations():
        point = metric.histogram.data_points.add(time_unix_nano=int(at * 1e9))
        for key, value in (("http.route", route), ("http.response.status_code", status)):
            point.attributes.add(key=key).value.string_value = value
        counts = [
            _REQUESTS_A_STEP * step if status == _STATUSES[0] and place in _USUAL_BUCKETS else 0
            for place in range(len(DENSE) + 1)
        ]
        point.explicit_bounds.extend(DENSE)
        point.bucket_counts.extend(counts)
        point.count = sum(counts)
        point.sum = point.count * 0.1
    return request


def _combinations() -> Iterator[tuple[str, str]]:
    return ((f"/route-{nth}", status) for nth in range(_ROUTES) for status in _STATUSES)


def _read(port: int, process: psutil.Process) -> Cost:
    """Read the groups' last durations until each was evaluated with everything there."""
    groups: dict[str, list[float]] = {}
    intervals: dict[str, float] = {}
    before = process.cpu_times()
    for _ in range(_CYCLES):
        time.sleep(STEP_SECONDS)
        for group in _get(port, "rules")["data"]["groups"]:
            groups.setdefault(group["name"], []).append(group["evaluationTime"])
            intervals[group["name"]] = group["interval"]
    after = process.cpu_times()
    used = after.user + after.system - before.user - before.system
    durations = {name: statistics.median(times) for name, times in groups.items()}
    raw = _value(port, 'count({__name__=~"http_server_request_duration_seconds_.*"})')
    recorded = _value(port, 'count({__name__=~"job.*:.*"})')
    return Cost(
        series=int(raw),
        recorded=int(recorded),
        peak=sum(durations.values()),
        cycle=sum(time * STEP_SECONDS / intervals[name] for name, time in durations.items()),
        cpu=used / _CYCLES,
        slowest=max(durations.items(), key=lambda item: item[1]),
    )


def _value(port: int, query: str) -> float:
    result = _get(port, f"query?{urllib.parse.urlencode({'query': query})}")["data"]["result"]
    return float(result[0]["value"][1])


def _get(port: int, path: str) -> Any:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/v1/{path}", timeout=60) as answer:
        return json.load(answer)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _sizes(text: str) -> tuple[int, ...]:
    return tuple(int(each) for each in text.split(","))


if __name__ == "__main__":
    sys.exit(main())
