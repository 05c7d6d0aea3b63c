"""The application as a service of its own: one worker or several, under a real server."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import urllib.request
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from opentelemetry.proto.common.v1.common_pb2 import KeyValue
from opentelemetry.proto.metrics.v1.metrics_pb2 import Metric, ResourceMetrics
from prometheus_client.parser import text_string_to_metric_families

from stack.environment import REPOSITORY
from tests.stack.running import eventually

APP = "tests.truth.app:app"

Labels = tuple[tuple[str, str], ...]
Series = dict[Labels, float]


class Metrics(defaultdict[str, Series]):
    """Series by their name; empty labels are left out, as Prometheus does."""

    def __init__(self, text: str = "") -> None:
        super().__init__(dict)
        for family in text_string_to_metric_families(text):
            for sample in family.samples:
                labels = tuple(sorted((k, v) for k, v in sample.labels.items() if v))
                self[sample.name][labels] = sample.value

    @classmethod
    def pushed(cls, messages: Iterable[ResourceMetrics]) -> Self:
        """What the last message of each instance says, all instances together.

        Names are spelled as Prometheus spells OpenTelemetry's.
        """
        latest: dict[tuple[str, str, Labels], float] = {}
        for message in messages:
            instance = text_of(message.resource.attributes)["service.instance.id"]
            for scope in message.scope_metrics:
                for metric in scope.metrics:
                    for name, point, value in _values(metric):
                        latest[instance, name, _labels(point.attributes)] = value
        found = cls()
        for (_, name, labels), value in latest.items():
            found[name][labels] = found[name].get(labels, 0) + value
        return found

    def total(self, name: str) -> float:
        """The sum of all series of this name."""
        return sum(self[name].values())

    def by(self, name: str, label: str) -> dict[str, float]:
        """The sums of a counter's series by one of their labels."""
        found: Counter[str] = Counter()
        for labels, value in self[name].items():
            found[dict(labels)[label]] += value  # type: ignore[assignment]
        return dict(found)


def _values(metric: Metric) -> Iterator[tuple[str, Any, float]]:
    name = metric.name.replace(".", "_")
    kind = metric.WhichOneof("data")
    if kind == "histogram":
        for point in metric.histogram.data_points:
            yield f"{name}_seconds_count", point, point.count
            yield f"{name}_seconds_sum", point, point.sum
    elif kind in ("sum", "gauge"):
        suffix = "_total" if kind == "sum" and metric.sum.is_monotonic else ""
        for point in getattr(metric, kind).data_points:
            yield f"{name}{suffix}", point, point.as_double or point.as_int


def _labels(attributes: Iterable[KeyValue]) -> Labels:
    return tuple(sorted((k.replace(".", "_"), v) for k, v in text_of(attributes).items()))


def text_of(attributes: Iterable[KeyValue]) -> dict[str, str]:
    """Attributes as labels: text, whatever they were."""
    return {
        item.key: str(getattr(item.value, item.value.WhichOneof("value") or "string_value"))
        for item in attributes
    }


@dataclass
class Service:
    """A running service, and where its probes write."""

    process: subprocess.Popen[bytes]
    address: str
    folder: Path

    def metrics(self) -> Metrics:
        """What a scrape says now."""
        with urllib.request.urlopen(f"{self.address}/metrics", timeout=30) as answer:
            return Metrics(answer.read().decode())

    def stop(self) -> None:
        """Ask it to stop, as an orchestrator does, and wait until it has."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        self.process.wait(timeout=60)

    def stamps(self) -> list[dict[str, Any]]:
        """What the probes of every worker wrote."""
        files = sorted(self.folder.glob("*.jsonl"))
        return [json.loads(line) for file in files for line in file.read_text().splitlines()]


def gunicorn(port: int, *arguments: str) -> list[str]:
    return [sys.executable, "-m", "gunicorn", APP, "--bind", f"127.0.0.1:{port}", "--config",
            "deploy/gunicorn.conf.py", "--log-level", "warning", *arguments]  # fmt: skip


def uvicorn(port: int, *arguments: str) -> list[str]:
    return [sys.executable, "-m", "uvicorn", APP, "--port", str(port), "--no-access-log",
            "--log-level", "warning", *arguments]  # fmt: skip


@contextmanager
def running(
    command: list[str], port: int, folder: Path, collector: str, **environment: str
) -> Iterator[Service]:
    """Run the service until the end of the `with` block."""
    public = folder / "public"
    public.mkdir()
    (public / "page.txt").write_text("hello " * 100)
    log = folder / "service.log"
    inherited = {k: v for k, v in os.environ.items() if not k.startswith(("OTEL_", "PROMETHEUS_"))}
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            cwd=REPOSITORY,
            env={
                **inherited,
                "TRUTH_FOLDER": str(folder),
                "OTEL_SERVICE_NAME": "truth",
                "OTEL_EXPORTER_OTLP_ENDPOINT": collector,
                # Large enough for every span of a test: none is dropped for want of room.
                "OTEL_BSP_MAX_QUEUE_SIZE": "65536",
                "OTEL_BSP_SCHEDULE_DELAY": "200",
                **environment,
            },
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    service = Service(process, f"http://127.0.0.1:{port}", folder)
    try:
        eventually(
            lambda: _listens(port),
            seconds=60,
            explain=log.read_text,
            unless=lambda: process.poll() is not None,
        )
        yield service
    finally:
        if process.poll() is None:
            service.stop()


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
