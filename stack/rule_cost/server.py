"""A Prometheus of its own, which evaluates rules over what it is sent."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
from typing import TYPE_CHECKING, Any, Final, Self

import psutil
import yaml

from stack.binaries import binary
from stack.errors import StackError
from stack.rule_cost.fleet import STEP_SECONDS

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType

    from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
        ExportMetricsServiceRequest,
    )

_PATIENCE_SECONDS: Final = 60


class Server:
    """A running Prometheus; a context manager that ends with it stopped.

    Args:
        folder: where its configuration, data and log go; `data` may hold blocks already.
        rules: folder of the rule files.
        concurrent: how many rules of a group it may evaluate at once; 0 is Prometheus' default,
            one after another.
    """

    def __init__(self, folder: Path, rules: Path, concurrent: int) -> None:
        self._folder = folder
        self._address = f"127.0.0.1:{_free_port()}"
        self._log = folder / "log"
        self._command = [
            str(binary("prometheus")),
            f"--config.file={self._configure(rules)}",
            f"--storage.tsdb.path={folder / 'data'}",
            f"--web.listen-address={self._address}",
            "--web.enable-otlp-receiver",
            "--web.enable-lifecycle",
            *_concurrency(concurrent),
        ]

    def __enter__(self) -> Self:
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(  # noqa: S603 - our own program
                self._command, stdout=subprocess.DEVNULL, stderr=log
            )
        try:
            self._wait_until_ready()
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stop()

    def push(self, message: ExportMetricsServiceRequest) -> None:
        """Send one scrape over OTLP."""
        call = urllib.request.Request(
            f"http://{self._address}/api/v1/otlp/v1/metrics",
            data=message.SerializeToString(),
            headers={"Content-Type": "application/x-protobuf"},
        )
        urllib.request.urlopen(call, timeout=_PATIENCE_SECONDS).close()  # noqa: S310 - loopback

    def stop_rules(self) -> None:
        """Evaluate rules no more; what they recorded stays."""
        self._configure(None)
        call = urllib.request.Request(f"http://{self._address}/-/reload", method="POST")
        urllib.request.urlopen(call, timeout=_PATIENCE_SECONDS).close()  # noqa: S310 - loopback

    def groups(self) -> list[dict[str, Any]]:
        """Return the groups of rules, as the API tells them."""
        found: list[dict[str, Any]] = self._get("rules")["data"]["groups"]
        return found

    def value(self, query: str, at: float | None = None) -> float:
        """Return the one value that a query has now or at a Unix time, or 0 if it has none."""
        asked = {"query": query} if at is None else {"query": query, "time": f"{at:.3f}"}
        result = self._get(f"query?{urllib.parse.urlencode(asked)}")["data"]["result"]
        return float(result[0]["value"][1]) if result else 0.0

    def cpu_seconds(self) -> float:
        """Return the processor time used so far."""
        used = psutil.Process(self._process.pid).cpu_times()
        return float(used.user + used.system)

    def _configure(self, rules: Path | None) -> Path:
        copies = self._folder / "rules"
        if rules is not None:
            copies.mkdir()
            for path in rules.glob("*.yml"):
                shutil.copy(path, copies)
        content = {
            "global": {"evaluation_interval": f"{STEP_SECONDS}s"},
            "storage": {"tsdb": {"out_of_order_time_window": "2h"}},
            "otlp": {"promote_resource_attributes": ["deployment.environment.name"]},
            "rule_files": [f"{copies}/*.yml"] if rules else [],
        }
        path = self._folder / "prometheus.yaml"
        path.write_text(yaml.safe_dump(content))
        return path

    def _get(self, path: str) -> Any:
        address = f"http://{self._address}/api/v1/{path}"
        with urllib.request.urlopen(address, timeout=_PATIENCE_SECONDS) as answer:
            return json.load(answer)

    def _wait_until_ready(self) -> None:
        until = time.monotonic() + _PATIENCE_SECONDS
        while time.monotonic() < until:
            if self._process.poll() is not None:
                raise StackError(f"prometheus ended: {self._log.read_text()[-500:]}")
            try:
                urllib.request.urlopen(f"http://{self._address}/-/ready", timeout=1).close()
            except OSError:
                time.sleep(0.1)
            else:
                return
        raise StackError(f"prometheus was not ready within {_PATIENCE_SECONDS} s")

    def _stop(self) -> None:
        self._process.terminate()
        try:
            self._process.wait(_PATIENCE_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def _concurrency(rules: int) -> tuple[str, ...]:
    if not rules:
        return ()
    return ("--enable-feature=concurrent-rule-eval", f"--rules.max-concurrent-evals={rules}")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
